/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are made from a template are those librrd makes, byte for byte; another step, time or source is librrd's work. */
#include <errno.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "board/messages.h"
#include "rrd/cache.h"
#include "rrd/file.h"
#include "rrd/template.h"
#include "tests/unit/unit.h"

enum { BEGIN = 1700000000, STEP = 10 };

static char directory[] = "/tmp/test_rrd_template_XXXXXX";
static const char names[3][NAMES_SOURCE_SIZE] = {"cpu", "load1", "mem"};

static struct file_series series_of(const char *file, char path[128])
{
	snprintf(path, 128, "%s/%s.rrd", directory, file);
	return (struct file_series){.path = path, .step_s = STEP, .count = 3, .names = names};
}

static bool make(const char *file, int64_t first_s, struct file_state *state)
{
	char path[128], why[160] = "";
	struct file_series s = series_of(file, path);

	*state = (struct file_state){.known = false};
	return file_create(&s, first_s, state, why, sizeof why) == FILE_WRITTEN;
}

static uint8_t *content(const char *file, size_t *size)
{
	char path[128];
	struct stat st;

	series_of(file, path);
	FILE *f = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL_FATAL(fstat(fileno(f), &st), 0);
	uint8_t *bytes = malloc((size_t)st.st_size);
	*size = fread(bytes, 1, (size_t)st.st_size, f);
	CU_ASSERT_EQUAL(*size, (size_t)st.st_size);
	fclose(f);
	return bytes;
}

static void the_second_is_the_first(void)
{
	struct file_state first, second;
	size_t n, m;

	template_forget();
	CU_ASSERT_TRUE_FATAL(make("a", BEGIN, &first));
	CU_ASSERT_FALSE(first.known); /* librrd's work */
	CU_ASSERT_TRUE_FATAL(make("b", BEGIN, &second));
	CU_ASSERT_TRUE_FATAL(second.known);
	CU_ASSERT_EQUAL(second.last_s, BEGIN - STEP);
	uint8_t *a = content("a", &n), *b = content("b", &m);
	CU_ASSERT_EQUAL_FATAL(n, m);
	CU_ASSERT_EQUAL(memcmp(a, b, n), 0);
	free(a);
	free(b);
}

static void its_rows_come_back(void)
{
	struct file_state state, looked = {.known = false};
	char path[128], why[160];
	struct file_series s = series_of("c", path);
	struct cached_row rows[30];
	double values[30 * 3];
	uint32_t written;
	bool moved;

	CU_ASSERT_TRUE_FATAL(make("c", BEGIN, &state));
	CU_ASSERT_TRUE_FATAL(state.known);
	for (int i = 0; i < 30; i++) {
		rows[i] = (struct cached_row){.time_s = BEGIN + i * STEP};
		for (int k = 0; k < 3; k++)
			values[i * 3 + k] = i + 0.25 * k;
	}
	CU_ASSERT_EQUAL_FATAL(file_write(&s, &state, rows, values, 30, &written, why, sizeof why), FILE_WRITTEN);
	CU_ASSERT_EQUAL(written, 30);
	CU_ASSERT_EQUAL(file_look(&s, BEGIN, &looked, &moved, why, sizeof why), FILE_WRITTEN);
	CU_ASSERT_EQUAL(looked.last_s, BEGIN + 29 * STEP);
	time_t from = BEGIN, to = BEGIN + 25 * STEP;
	unsigned long step = STEP, count;
	char **got;
	rrd_value_t *data;
	CU_ASSERT_EQUAL_FATAL(rrd_fetch_r(path, "AVERAGE", &from, &to, &step, &count, &got, &data), 0);
	CU_ASSERT_EQUAL(count, 3);
	CU_ASSERT_EQUAL(data[2], 1.5); /* the step that ends at BEGIN + STEP */
	rrd_freemem(data);
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(got[i]);
	rrd_freemem(got);
}

static void another_kind_is_librrds(void)
{
	struct file_state state;
	char path[128], why[160];
	struct file_series s = series_of("e", path);

	CU_ASSERT_TRUE(make("d", BEGIN + STEP, &state));
	CU_ASSERT_FALSE(state.known);
	s.count = 2;
	CU_ASSERT_EQUAL(file_create(&s, BEGIN, &state, why, sizeof why), FILE_WRITTEN);
	CU_ASSERT_FALSE(state.known);
	for (int i = 0; i < 40; i++) { /* more kinds than are kept */
		snprintf(path, sizeof path, "%s/f%d.rrd", directory, i);
		CU_ASSERT_EQUAL(file_create(&s, BEGIN + i * 60, &state, why, sizeof why), FILE_WRITTEN);
	}
	CU_ASSERT_TRUE(make("g", BEGIN, &state)); /* forgotten meanwhile: made all the same */
}

static void a_directory_in_the_way(void)
{
	struct file_state state = {.known = false};
	char path[128], fresh[140], why[160] = "";
	struct file_series s = series_of("h", path);

	CU_ASSERT_TRUE(make("g2", BEGIN, &state));
	snprintf(fresh, sizeof fresh, "%s.new", path);
	CU_ASSERT_EQUAL_FATAL(mkdir(fresh, 0700), 0);
	state.known = false;
	CU_ASSERT_EQUAL(file_create(&s, BEGIN, &state, why, sizeof why), FILE_FAILED);
	CU_ASSERT_FALSE(state.known);
	CU_ASSERT_TRUE(why[0] != 0);
	rmdir(fresh);
}

static const struct unit_test tests[] = {
	{"the second is the first", the_second_is_the_first},
	{"its rows come back", its_rows_come_back},
	{"another kind is librrd's", another_kind_is_librrds},
	{"a directory in the way", a_directory_in_the_way},
};

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	int status = unit_run("rrd template", tests, sizeof tests / sizeof tests[0]);

	template_forget();
	if (!status)
		execlp("rm", "rm", "-rf", directory, (char *)NULL);
	return status;
}
