/* EXIF blocks: an orientation comes out, whatever goes in.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/status.h"
#include "data/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_span s = fuzz_begin();
    int turn = graft_exif_orientation(data, size);
    fuzz_check(turn >= 1 && turn <= 8, "an orientation is 1 to 8");
    /* A picture of 3x2 different pixels keeps each of them. */
    struct graft_pixels room = {0};
    struct graft_image image = {graft_pixels_room(&room, 0, 18), 3, 2};
    if (!image.rgb)
        return 0;
    for (int i = 0; i < 18; i++)
        image.rgb[i] = (uint8_t)(i / 3);
    unsigned seen = 0;
    fuzz_check(graft_image_orient(&image, turn, &room) == 0,
               "a picture is turned");
    fuzz_check(image.width == (turn > 4 ? 2 : 3) &&
               image.height == (turn > 4 ? 3 : 2), "its sides fit");
    for (int i = 0; i < 18; i += 3)
        seen |= 1u << image.rgb[i];
    fuzz_check(seen == 0x3f, "turning loses no pixel");
    graft_pixels_release(&room);
    fuzz_end(&s, UINT64_C(1) << 20, true);
    return 0;
}
