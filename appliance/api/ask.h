/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of JSON arrays from the engine, put together. Called by routes that ask it. */
#ifndef GLORY_API_ASK_H
#define GLORY_API_ASK_H

#include "api/server.h"

/* Adds the elements of the reply's array to request->page, separated by commas and without brackets; times become RFC
 * 3339, members that are the store's own go. False: it was no array, and the request is answered. */
bool ask_add_page(struct request *r, const struct pending_reply *reply);
/* Answers with the text in the reply's memfd (which is taken), or with an error that names what. */
void ask_answer_text(struct request *r, const struct pending_reply *reply, const char *type, const char *what);
/* Answers a request by all pages of a query: `from`, `newest` and `limit` are the request's parameters. */
void ask_pages(struct request *r, uint32_t kind, const char *target);

#endif
