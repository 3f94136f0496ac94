/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the BMC engine knows without a BMC: its words for errors, the orders of bytes in a GUID, its size for each target. */
#include <string.h>

#include "base/witness.h"
#include "ipmi/bmc.h"
#include "unit.h"

static void test_texts(void)
{
	for (int e = BMC_OK; e <= BMC_GARBAGE; e++) {
		CU_ASSERT(bmc_error_text((enum bmc_error)e)[0] && bmc_error_remedy((enum bmc_error)e)[0]);
		CU_ASSERT(strlen(bmc_error_text((enum bmc_error)e)) + 2 + strlen(bmc_error_remedy((enum bmc_error)e)) <
			  CAUSE_SIZE);
	}
}

static void test_size(void)
{
	CU_ASSERT(sizeof(struct bmc) < 2048);
}

static void test_guid_orders(void)
{
	const uint8_t text[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	const uint8_t mixed[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t reversed[16], other[16];

	for (int i = 0; i < 16; i++) {
		reversed[i] = text[15 - i];
		other[i] = text[i];
	}
	other[15] ^= 1;
	CU_ASSERT(bmc_guid_equal(text, text) && bmc_guid_equal(text, mixed) && bmc_guid_equal(mixed, text));
	CU_ASSERT(bmc_guid_equal(text, reversed) && bmc_guid_equal(reversed, text) && !bmc_guid_equal(text, other));
}

static const struct unit_test tests[] = {
    {"texts", test_texts},
    {"size", test_size},
    {"guid orders", test_guid_orders},
};
UNIT_MAIN("bmc facts", tests)
