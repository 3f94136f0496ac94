/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went wrong at a BMC, in words, and the comparison of GUIDs; used by the engine, the role and the tool. */
#include <string.h>

#include "base/memory.h"
#include "ipmi/engine.h"

static const struct {
	const char *text, *remedy;
} errors[] = {
    [BMC_OK] = {"ok", "nothing to do"},
    [BMC_NO_ANSWER] = {"no answer", "check the bmc's power, cable and address"},
    [BMC_PASSWORD] = {"password refused", "correct the file in secrets/bmc"},
    [BMC_USER] = {"user refused", "correct the credential's user"},
    [BMC_KG] = {"bmc key refused", "correct kg= in secrets/bmc"},
    [BMC_SUITE] = {"cipher suite refused", "set suite 3 for its model"},
    [BMC_PRIVILEGE] = {"privilege not granted", "try workaround opensesspriv"},
    [BMC_BUSY] = {"bmc is busy", "restart it when it stays so"},
    [BMC_SLOTS_FULL] = {"no free session slot", "close other sessions at this bmc"},
    [BMC_SESSION_LOST] = {"session lost", "restart it when it stays so"},
    [BMC_UNSUPPORTED] = {"not supported by the bmc", "update the bmc's firmware"},
    [BMC_COMPLETION] = {"command refused", "see the completion code"},
    [BMC_NOT_REACHED] = {"state not reached in time", "look at the machine's console"},
    [BMC_GUID_CHANGED] = {"guid is not as recorded", "check the wiring, then confirm the bmc"},
    [BMC_GARBAGE] = {"answers make no sense", "update the bmc's firmware"},
};

static unsigned known(enum bmc_error error)
{
	return (unsigned)error < COUNT_OF(errors) ? (unsigned)error : BMC_GARBAGE;
}

const char *bmc_error_text(enum bmc_error error)
{
	return errors[known(error)].text;
}

const char *bmc_error_remedy(enum bmc_error error)
{
	return errors[known(error)].remedy;
}

bool bmc_guid_equal(const uint8_t a[16], const uint8_t b[16])
{
	/* which byte of a stands at each place of b: the text's order, IPMI's (20.8), SMBIOS's (DSP0134, 7.2.1) */
	static const uint8_t orders[][16] = {
	    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	    {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
	    {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15},
	};

	for (size_t o = 0; o < COUNT_OF(orders); o++) {
		size_t i = 0;
		while (i < 16 && a[orders[o][i]] == b[i])
			i++;
		if (i == 16)
			return true;
	}
	return false;
}
