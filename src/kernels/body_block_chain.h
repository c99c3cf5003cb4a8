/* Tiles of any number of rows, over any number of pieces of k, of the
 * micro-kernel of body_block_tile.h: block_tile(t). act NULL: the bare sums.
 *
 * The error of a sum grows with the root of its length. Where t->chain asks
 * for it, a long list of pieces is summed in chains that are then added up;
 * the tile rests in y meanwhile. That takes some 3 % more time.
 * SPDX-License-Identifier: Apache-2.0 */

/* All of t in one chain: rows in even shares, channels in tiles. */
static void block_tile_chain(const struct graft_block_tile *t)
{
    int64_t shares = (t->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    int64_t share = t->rows / shares, more = t->rows % shares;
    int64_t channels = t->blocks * GRAFT_BLOCK;
    bool after = block_has_after(t->act, t->lanes);
    struct graft_block_tile part = *t;
    for (int64_t q = 0; q < shares; q++) {
        part.rows = share + (q < more);
        for (int64_t c = 0; c < channels; c += BLOCK_TILE)
            block_tile_fns[channels - c >= BLOCK_TILE][part.rows](&part, c);
        if (after)
            block_tile_after(&part);
        if (part.next < part.stop)
            part.next += t->pieces * GRAFT_BLOCK_FETCH;
        part.x += part.rows * t->x_step;
        part.y += part.rows * t->y_step;
        if (t->residual)
            part.residual += part.rows * t->residual_step;
    }
}

static int64_t block_chains(const struct graft_block_tile *t)
{
    int64_t n = 0;
    if (!t->chain)
        return 1;
    for (int64_t s = 0; s < t->pieces; s++)
        n += t->piece[s].n;
    n = (n + t->chain - 1) / t->chain;
    return n > t->pieces ? t->pieces : n;
}

/* Even shares of the pieces: what is in y is the residual of the next. */
static void block_tile(const struct graft_block_tile *t)
{
    int64_t chains = block_chains(t);
    struct graft_block_tile part = *t;
    if (chains < 2) {
        block_tile_chain(t);
        return;
    }
    part.stop = part.next; /* nothing is fetched ahead */
    for (int64_t q = 0; q + 1 < chains; q++) {
        int64_t s = t->pieces * q / chains;
        part.pieces = t->pieces * (q + 1) / chains - s;
        part.act = NULL;
        block_tile_chain(&part);
        part.piece += part.pieces;
        part.bias = NULL;
        part.residual = t->y;
        part.residual_step = t->y_step;
    }
    part.pieces = t->pieces - (part.piece - t->piece);
    part.act = t->act;
    block_tile_chain(&part);
}
