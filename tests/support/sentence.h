/* What every refusal is: one clear sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SENTENCE_H
#define GRAFT_TEST_SENTENCE_H

/* One sentence: something, on one line, harmless to a terminal, not longer
 * than two names and their explanation. */
void test_sentence(const char *said);
/* And it names this file, and a place in it: a byte, a node, a name, or a
 * part that every file has one of. */
void test_sentence_about(const char *file, const char *said);

#endif
