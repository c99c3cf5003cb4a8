/* A file with something of everything that ONNX has:
 *
 *     x [N,3] -> MatMul 'mm' (w) -> h -> Add 'add' (b) -> a
 *       -> If 'if' (cond) -> y -> acme.Foo 'foo', an attribute of each kind
 *       -> z -> local.Twice 'call' -> out [N,4]
 *
 * The branches of 'if' read a and b; the else branch defines an h of its
 * own. Around it: value infos of h and a, an annotation of h, a sparse
 * initializer s, training that reads w, doc strings and metadata everywhere
 * (with the word "secret"), unknown fields, odd encodings.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_RICH_MODEL_H
#define GRAFT_TEST_RICH_MODEL_H

#include "base/str.h"

/* Release with graft_str_release. */
struct graft_str test_rich_file(void);

#endif
