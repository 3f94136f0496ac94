/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the witnesses of a node say, in words: why the verdict is what it is. Called by the node's detail. */
#ifndef GLORY_API_EVIDENCE_H
#define GLORY_API_EVIDENCE_H

#include "api/emit.h"
#include "board/board.h"

/* "evidence": [{"witness", "state", "text"}...] as a member of an open object. */
void evidence_emit(struct emit *out, const struct node_row *node);

#endif
