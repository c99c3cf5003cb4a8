/* Element types, with ONNX's numbers (TensorProto.DataType).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TENSOR_DTYPE_H
#define GRAFT_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* name, ONNX number, lower-case name, bits of an element (0: no fixed size) */
#define GRAFT_DTYPE_LIST(X)                                                 \
    X(UNDEFINED, 0, "undefined", 0)                                         \
    X(FLOAT, 1, "float32", 32)                                              \
    X(UINT8, 2, "uint8", 8)                                                 \
    X(INT8, 3, "int8", 8)                                                   \
    X(UINT16, 4, "uint16", 16)                                              \
    X(INT16, 5, "int16", 16)                                                \
    X(INT32, 6, "int32", 32)                                                \
    X(INT64, 7, "int64", 64)                                                \
    X(STRING, 8, "string", 0)                                               \
    X(BOOL, 9, "bool", 8)                                                   \
    X(FLOAT16, 10, "float16", 16)                                           \
    X(DOUBLE, 11, "float64", 64)                                            \
    X(UINT32, 12, "uint32", 32)                                             \
    X(UINT64, 13, "uint64", 64)                                             \
    X(COMPLEX64, 14, "complex64", 64)                                       \
    X(COMPLEX128, 15, "complex128", 128)                                    \
    X(BFLOAT16, 16, "bfloat16", 16)                                         \
    X(FLOAT8E4M3FN, 17, "float8e4m3fn", 8)                                  \
    X(FLOAT8E4M3FNUZ, 18, "float8e4m3fnuz", 8)                              \
    X(FLOAT8E5M2, 19, "float8e5m2", 8)                                      \
    X(FLOAT8E5M2FNUZ, 20, "float8e5m2fnuz", 8)                              \
    X(UINT4, 21, "uint4", 4)                                                \
    X(INT4, 22, "int4", 4)                                                  \
    X(FLOAT4E2M1, 23, "float4e2m1", 4)                                      \
    X(FLOAT8E8M0, 24, "float8e8m0", 8)                                      \
    X(UINT2, 25, "uint2", 2)                                                \
    X(INT2, 26, "int2", 2)                                                  \
    X(FLOAT6E2M3, 27, "float6e2m3", 6)                                      \
    X(FLOAT6E3M2, 28, "float6e3m2", 6)

#define GRAFT_DTYPE_ENUM(name, number, text, bits) GRAFT_##name = number,
enum graft_dtype { GRAFT_DTYPE_LIST(GRAFT_DTYPE_ENUM) GRAFT_DTYPE_COUNT };
#undef GRAFT_DTYPE_ENUM

/* The dtype of `real` in this build. */
#ifdef GRAFT_REAL_DOUBLE
#define GRAFT_REAL GRAFT_DOUBLE
#else
#define GRAFT_REAL GRAFT_FLOAT
#endif

const char *graft_dtype_name(int dtype);  /* "float32"; "dtype 99" unknown */
int graft_dtype_bits(int dtype);          /* 0: unknown or no fixed size */
size_t graft_dtype_size(int dtype);       /* bytes; 0 where bits % 8 */
bool graft_dtype_is_float(int dtype);     /* FLOAT FLOAT16 BFLOAT16 DOUBLE */
bool graft_dtype_is_int(int dtype);       /* (U)INT8..64 and BOOL */

#endif
