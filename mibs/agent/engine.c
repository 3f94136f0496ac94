/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine id and boots, and the start of net-snmp with them; see engine.h. */
#include "mibs/agent/snmp.h"

#include "mibs/agent/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_MAX 256
#define APPLICATION "glory-agent"

static bool parse_id(const char *hex, uint8_t *id)
{
	for (size_t i = 0; i < ENGINE_ID_SIZE; i++) {
		unsigned byte = 0;
		for (int k = 0; k < 2; k++) {
			char c = *hex++;
			int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
			if (digit < 0)
				return false;
			byte = byte << 4 | (unsigned)digit;
		}
		id[i] = (uint8_t)byte;
	}
	return id[0] & 0x80;
}

bool engine_state_parse(const char *text, struct engine_state *out)
{
	int64_t boots;
	char number[16];

	if (strncmp(text, "id=", 3) || strlen(text) < 3 + 2 * ENGINE_ID_SIZE || !parse_id(text + 3, out->id))
		return false;
	const char *rest = text + 3 + 2 * ENGINE_ID_SIZE;
	if (strncmp(rest, "\nboots=", 7) || !text_copy(number, sizeof number, rest + 7))
		return false;
	number[strcspn(number, "\n")] = '\0';
	if (!text_integer(number, 1, ENGINE_BOOTS_MAX, &boots))
		return false;
	out->boots = (uint32_t)boots;
	return true;
}

static int make_new(struct engine_state *out)
{
	out->boots = 0;
	uint32_t pen = GLORY_PEN;
	uint8_t head[5] = {(uint8_t)(0x80 | pen >> 24), (uint8_t)(pen >> 16), (uint8_t)(pen >> 8), (uint8_t)pen, 5};
	memcpy(out->id, head, sizeof head);
	return getrandom(out->id + 5, ENGINE_ID_SIZE - 5, 0) == ENGINE_ID_SIZE - 5 ? 0 : ERR_NO_RESOURCE;
}

static int write_file(const char *path, const char *text)
{
	size_t size = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	bool bad = write(fd, text, size) != (ssize_t)size || fsync(fd);
	return close(fd) || bad ? -1 : 0;
}

static void id_text(const struct engine_state *state, char out[2 * ENGINE_ID_SIZE + 1])
{
	size_t used = 0;

	for (size_t i = 0; i < ENGINE_ID_SIZE; i++)
		text_append(out, 2 * ENGINE_ID_SIZE + 1, &used, "%02x", state->id[i]);
}

static int store(const char *path, const struct engine_state *state)
{
	char text[FILE_MAX], fresh[512], id[2 * ENGINE_ID_SIZE + 1];

	id_text(state, id);
	text_format(text, sizeof text, "id=%s\nboots=%u\n", id, state->boots);
	if (!text_format(fresh, sizeof fresh, "%s.new", path) || write_file(fresh, text) || rename(fresh, path)) {
		log_error("%s: engine boots cannot be stored: %s: give the agent's directory room and its owner back", path,
			  strerror(errno));
		return ERR_NO_RESOURCE;
	}
	fresh[strlen(fresh) - 4] = '\0';
	char *slash = strrchr(fresh, '/');
	if (slash)
		*slash = '\0';
	int fd = open(slash ? fresh : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return 0;
}

int engine_state_begin(const char *path, struct engine_state *out)
{
	char text[FILE_MAX] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (!engine_state_parse(text, out)) {
		if (n >= 0 || errno != ENOENT)
			log_warning("%s: damaged: the agent gets a new engine id, receivers of v3 traps must be told", path);
		int rc = make_new(out);
		if (rc)
			return rc;
	}
	if (out->boots < ENGINE_BOOTS_MAX)
		out->boots++;
	return store(path, out);
}

static int on_library_log(int major, int minor, void *server, void *client)
{
	(void)major;
	(void)minor;
	(void)client;
	static struct log_damper damper; /* whoever sends spoilt datagrams shall not fill the log */
	struct snmp_log_message *message = server;
	unsigned held;
	char text[200];

	text_copy(text, sizeof text, message->msg);
	text[strcspn(text, "\n")] = '\0';
	text_make_printable(text);
	if (message->priority <= LOG_LEVEL_WARNING && text[0] && log_damper_pass(&damper, clock_mono_ms(), &held))
		log_warning("net-snmp: %s (%u others were held back)", text, held);
	return 0;
}

/* Hands a value to the library's parser of a word of its own state file; these words are taken at no other time. */
static void tell_library(const char *word, char *value)
{
	for (struct config_line *l = read_config_get_handlers(APPLICATION); l; l = l->next)
		if (!strcmp(l->config_token, word))
			l->parse_line(word, value);
}

int engine_start(const struct engine_state *state)
{
	char line[64], id[2 * ENGINE_ID_SIZE + 1];
	uint8_t got[64];

	setenv("MIBS", "", 1);
	setenv("SNMPCONFPATH", "/nonexistent", 1);
	snmp_disable_stderrlog();
	netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK, LOG_LEVEL_WARNING);
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_library_log, NULL);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG, 1);
	init_snmp(APPLICATION);
	/* as if the library had read its own file: it counts the boots up by one, unless the engine id was another before */
	set_exact_engineID(state->id, ENGINE_ID_SIZE);
	id_text(state, id);
	text_format(line, sizeof line, "0x%s", id);
	tell_library("oldEngineID", line);
	text_format(line, sizeof line, "%u", state->boots - 1);
	tell_library("engineBoots", line);
	snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_READ_CONFIG, NULL);
	if (snmpv3_get_engineID(got, sizeof got) != ENGINE_ID_SIZE || memcmp(got, state->id, ENGINE_ID_SIZE) ||
	    snmpv3_local_snmpEngineBoots() != state->boots) {
		log_error("agent: net-snmp did not take the engine id or the boots (%lu instead of %u)", snmpv3_local_snmpEngineBoots(),
			  state->boots);
		return ERR_BUG;
	}
	return 0;
}
