/* What a file is that is not ONNX, told by its first bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

static const struct kind {
    int at;
    const char *bytes;
    int n;
    const char *what;
} kinds[] = {
    {0, "PK\3\4", 4, "a PyTorch file (a zip archive), not ONNX; export it "
                     "with torch.onnx.export"},
    {0, "PK\5\6", 4, "an empty zip archive, not ONNX"},
    {4, "TFL3", 4, "a TensorFlow Lite model, not ONNX; tf2onnx converts it"},
    {0, "\211HDF\r\n\032\n", 8, "an HDF5 file (Keras writes these), not "
                                "ONNX; tf2onnx converts a Keras model"},
    {4, "ORTM", 4, "in ONNX Runtime's own format; bring the .onnx file it "
                   "was made from"},
    {0, "GGUF", 4, "a GGUF file, not ONNX"},
    {0, "\x93NUMPY", 6, "a NumPy array, not an ONNX model"},
    {0, "\377\330\377", 3, "a JPEG picture, not an ONNX model"},
    {0, "\211PNG", 4, "a PNG picture, not an ONNX model"},
    {0, "GIF8", 4, "a GIF picture, not an ONNX model"},
    {0, "BM", 2, "a BMP picture, not an ONNX model"},
    {8, "WEBP", 4, "a WebP picture, not an ONNX model"},
    {4, "ftyp", 4, "a HEIC picture or a film, not an ONNX model"},
    {0, "%PDF", 4, "a PDF document, not an ONNX model"},
    {0, "\037\213", 2, "a gzip archive, not ONNX; unpack it first"},
    {0, "\3757zXZ", 6, "an xz archive, not ONNX; unpack it first"},
    {0, "\x28\xb5\x2f\xfd", 4, "a zstd archive, not ONNX; unpack it first"},
    {0, "\200\2", 2, "a Python pickle (an old PyTorch file), not ONNX; "
                     "export it with torch.onnx.export"},
    {0, "\200\4", 2, "a Python pickle, not ONNX; export the model with "
                     "torch.onnx.export"},
    {0, "\177ELF", 4, "a program, not an ONNX model"},
};

static bool is_text(const uint8_t *data, uint64_t size)
{
    uint64_t n = size < 512 ? size : 512;
    for (uint64_t i = 0; i < n; i++)
        if ((data[i] < 0x20 && data[i] != '\n' && data[i] != '\r' &&
             data[i] != '\t') || data[i] == 0x7f)
            return false;
    return true;
}

/* Eight bytes with the length of a JSON header, then its brace. */
static bool is_safetensors(const uint8_t *data, uint64_t size)
{
    uint64_t header;
    if (size < 10)
        return false;
    memcpy(&header, data, sizeof header);
    return header >= 2 && header <= size - 8 && data[8] == '{' &&
           (data[9] == '"' || data[9] == '}' || data[9] == ' ');
}

int graft_sniff(const uint8_t *data, uint64_t size, const char *file)
{
    const char *what = NULL;
    /* Field 1, a version: ONNX, whatever the producer's name spells. */
    if (size >= 2 && data[0] == 0x08 && data[1] != 0)
        return GRAFT_OK;
    for (size_t i = 0; !what && i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        if (size >= (uint64_t)(k->at + k->n) &&
            memcmp(data + k->at, k->bytes, (size_t)k->n) == 0)
            what = k->what;
    }
    if (size == 0)
        what = "empty, not an ONNX model";
    else if (!what && is_safetensors(data, size))
        what = "a safetensors file: weights without a network; export the "
               "model with torch.onnx.export";
    else if (!what && is_text(data, size))
        what = "a text file, not an ONNX model";
    return what ? graft_fail(GRAFT_EFORMAT, "'%s' is %s", file, what)
                : GRAFT_OK;
}
