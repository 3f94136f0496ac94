/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The enumerations of the MIB text are the words of words.h: same labels, same numbers, none missing, none more. */
#include "unit.h"

#include "mib_text.h"

#include "base/memory.h"
#include "base/words.h"

static const struct {
	const char *name;
	enum word_set set;
} conventions[] = {
	{"GloryLevel", WORDS_LEVEL}, {"GloryPower", WORDS_POWER}, {"GloryVerdict", WORDS_VERDICT}, {"GloryCertainty", WORDS_CERTAINTY},
	{"GloryLife", WORDS_LIFE}, {"GloryJobStatus", WORDS_JOB_STATE}, {"GloryPowerVerb", WORDS_POWER_VERB}, {"GloryJobKind", WORDS_JOB_VERB}, {"GloryPolicy", WORDS_POLICY},
	{"GloryDomainState", WORDS_DOMAIN_STATE}, {"GlorySensorCondition", WORDS_SENSOR_STATE},
	{"GloryWatchState", WORDS_WATCH_STATE}, {"GloryServiceCondition", WORDS_SERVICE_STATE}, {"GloryMemberState", WORDS_MEMBER_STATE},
	{"GloryProbeState", WORDS_PROBE_STATE}, {"GloryBalancerCondition", WORDS_BALANCER_STATE},
	{"GloryBalancerFamily", WORDS_BALANCER_DRIVER},
};

static int words_in(enum word_set set)
{
	int n = 0;

	while (strcmp(words_name(set, n + 1), "?") != 0)
		n++;
	return n;
}

/* Walks "INTEGER { label(1), ... }" and returns how many labels are as the words say, -1 at the first that is not. */
static int labels_that_agree(const char *body, enum word_set set)
{
	const char *c = strstr(body, "INTEGER {");
	char label[64], want[64];
	int n = 0, number;

	if (!c)
		return -1;
	for (c += 9; *c && *c != '}'; c += strcspn(c, ",}"), c += *c == ',') {
		if (sscanf(c, " %63[A-Za-z0-9](%d)", label, &number) != 2)
			return -1;
		words_label(set, number, want, sizeof want);
		if (strcmp(label, want) != 0 || number != n + 1) {
			printf("%s(%d) should be %s(%d)\n", label, number, want, n + 1);
			return -1;
		}
		n++;
	}
	return n;
}

static void test_conventions(void)
{
	CU_ASSERT_FATAL(mib_load());
	for (size_t i = 0; i < COUNT_OF(conventions); i++) {
		const char *body = mib_find(conventions[i].name, "::= TEXTUAL-CONVENTION");
		CU_ASSERT_PTR_NOT_NULL_FATAL(body);
		CU_ASSERT_EQUAL(labels_that_agree(body, conventions[i].set), words_in(conventions[i].set));
	}
}

/* One scalar of the cluster per verdict and level, under the number of the word. */
static void check_counters(const char *stem, enum word_set set, unsigned base)
{
	char name[96], label[64], parent[64];
	unsigned number;

	for (int i = 1; i <= words_in(set); i++) {
		words_label(set, i, label, sizeof label);
		label[0] = (char)toupper((unsigned char)label[0]);
		snprintf(name, sizeof name, "%s%s", stem, label);
		const char *body = mib_find(name, "OBJECT-TYPE");
		CU_ASSERT_PTR_NOT_NULL_FATAL(body);
		CU_ASSERT_TRUE(mib_place_of(body, parent, sizeof parent, &number));
		CU_ASSERT_EQUAL(number, base + (unsigned)i);
	}
}

static void test_counters(void)
{
	check_counters("gloryClusterVerdict", WORDS_VERDICT, 10);
	check_counters("gloryClusterLevel", WORDS_LEVEL, 30);
	check_counters("gloryClusterAlarms", WORDS_LEVEL, 40);
	check_counters("gloryApplianceTraps", WORDS_TRAP_FATE, 30);
}

static const struct unit_test tests[] = {
	{"textual conventions are the words", test_conventions},
	{"counters of the cluster follow the words", test_counters},
};
UNIT_MAIN("MIB words", tests)
