/* Arrays of NumPy's .npy format, versions 1 and 2, little-endian float32.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_NPY_H
#define GRAFT_TEST_NPY_H

#include "tensor/shape.h"

struct npy {
    struct graft_shape shape;
    float *data; /* graft_free */
    int64_t count;
};

/* Fails the test when the file is something else. */
struct npy npy_read(const char *path);
void npy_release(struct npy *a);

#endif
