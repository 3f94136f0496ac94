/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryd: reads gloryd.xml through glory-xml, makes directories, opens sockets, starts the roles, waits. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/xml_child.h"
#include "supervisor/roles.h"

static struct supervisor supervisor;

static void usage(FILE *to)
{
	fprintf(to, "usage: gloryd [--config FILE] [--root DIRECTORY] [--check]\n"
		    "  --config FILE      settings of this appliance (default /etc/glory/gloryd.xml)\n"
		    "  --root DIRECTORY   bind DIRECTORY to /mnt in a private mount namespace first, so that every role can reach it\n"
		    "  --check            read the settings, say what is wrong with them, and end\n");
}

/* Where the role programs stand: beside us in a build tree, in libexec when installed. */
static void find_programs(struct supervisor *s)
{
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	text_format(s->programs, sizeof s->programs, "%s/../libexec/glory", dirname(self));
	if (access(s->programs, X_OK))
		text_copy(s->programs, sizeof s->programs, "/usr/libexec/glory");
}

static int make_directory(const char *path, mode_t mode, uint32_t uid, uint32_t gid)
{
	if (mkdir(path, mode) && errno != EEXIST) {
		log_error("%s: cannot be made: %s", path, strerror(errno));
		return ERR_NO_RESOURCE;
	}
	/* through a descriptor: what stands there must be a directory, not a link that somebody put in its place */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (uid && fchown(fd, uid, gid)) || fchmod(fd, mode)) {
		log_error("%s: cannot be given to user %u: %s", path, uid, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_NO_RESOURCE;
	}
	close(fd);
	return 0;
}

static int make_directories(const struct supervisor *s)
{
	char path[SETTINGS_PATH + 32];
	int rc = make_directory(s->settings.data, 0755, 0, 0);

	for (int i = ROLE_ENGINE; i < ROLE_COUNT && !rc; i++)
		for (int d = 0; d < ROLE_DIRECTORIES && role_table[i].directories[d] && !rc; d++) {
			uint32_t uid = spawn_role_uid(s, &role_table[i]);
			text_format(path, sizeof path, "%s/%s", s->settings.data, role_table[i].directories[d]);
			rc = make_directory(path, 0750, uid, uid);
		}
	return rc;
}

static int enter_root(const char *directory)
{
	if (geteuid() != 0) {
		log_warning("--root: needs root: the directory stays where it is");
		return 0;
	}
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount(directory, "/mnt", NULL, MS_BIND | MS_REC, NULL)) {
		log_error("--root %s: %s", directory, strerror(errno));
		return ERR_REFUSED;
	}
	return 0;
}

static int read_settings(struct supervisor *s, struct settings *out)
{
	struct error e;
	int rc = xml_child_settings(s->programs, s->config_path, out, &e);

	if (rc)
		log_error("%s: %s%s%s", e.object, e.text, e.remedy[0] ? ": " : "", e.remedy);
	return rc;
}

/* Sockets are opened once; but a TLS listener that is switched off is served no more at once. */
static void tell_moved(const struct supervisor *s, const struct settings *fresh)
{
	const struct {
		const char *name;
		enum socket_use use;
		const struct address *wanted;
	} listeners[] = {{"snmp-agent", SOCKET_AGENT, &fresh->agent},
			 {"trap-listener", SOCKET_TRAP, &fresh->trap_listener},
			 {"http", SOCKET_HTTP, &fresh->http},
			 {"https", SOCKET_HTTPS, &fresh->https}};

	for (size_t i = 0; i < COUNT_OF(listeners); i++) {
		const struct address *is = &s->socket_address[listeners[i].use];
		if ((is->family || listeners[i].wanted->family) && !address_equal(is, listeners[i].wanted))
			log_warning("%s: listens elsewhere in the settings: that is so after the next start of the appliance", listeners[i].name);
	}
}

static void on_hangup(void *arg, int number)
{
	struct supervisor *s = arg;
	struct settings fresh;

	(void)number;
	if (read_settings(s, &fresh))
		return; /* the old ones stay in force */
	tell_moved(s, &fresh);
	s->settings = fresh;
	roles_send_settings(s);
	log_info("settings read again: %s", s->config_path);
}

static void on_end(void *arg, int number)
{
	struct supervisor *s = arg;

	log_info("ending on signal %d", number);
	loop_stop(s->loop);
}

static void send_first_cluster(struct supervisor *s)
{
	if (!s->settings.first_cluster[0])
		return;
	int fd = open(s->settings.first_cluster, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		log_warning("%s: %s: the cluster starts empty: gloryctl apply fills it", s->settings.first_cluster, strerror(errno));
		return;
	}
	s->first_cluster = fd;
}

static int run(struct supervisor *s)
{
	int rc = make_directories(s);

	for (int i = 0; i < SOCKET_USES; i++)
		s->sockets[i] = -1;
	if (!rc)
		rc = sockets_open(s);
	if (!rc) {
		s->loop = loop_new();
		s->epoch = (uint32_t)(clock_wall_ms() / 1000);
		loop_signal(s->loop, SIGTERM, on_end, s);
		loop_signal(s->loop, SIGINT, on_end, s);
		loop_signal(s->loop, SIGHUP, on_hangup, s);
		send_first_cluster(s);
		rc = roles_start(s);
	}
	if (!rc)
		rc = loop_run(s->loop);
	if (s->loop)
		roles_stop(s);
	sockets_close(s);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {"root", required_argument, NULL, 'r'},
						{"check", no_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct supervisor *s = &supervisor;
	const char *root = NULL;
	bool check = false;
	int option;

	log_open("gloryd", LOG_LEVEL_INFO, false);
	text_copy(s->config_path, sizeof s->config_path, "/etc/glory/gloryd.xml");
	while ((option = getopt_long(argc, argv, "c:r:kh", options, NULL)) != -1) {
		if (option == 'c')
			text_copy(s->config_path, sizeof s->config_path, optarg);
		else if (option == 'r')
			root = optarg;
		else if (option == 'k')
			check = true;
		else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	s->root = geteuid() == 0;
	s->first_cluster = -1;
	find_programs(s);
	if (root && enter_root(root))
		return 1;
	if (read_settings(s, &s->settings))
		return 1;
	if (check)
		return 0;
	if (root && s->root && s->settings.first_uid && accounts_bind(s))
		return 1;
	log_open("gloryd", s->settings.log_level ? s->settings.log_level : LOG_LEVEL_INFO, s->settings.log_to_syslog);
	if (!s->root)
		log_warning("not root: no raw echo, no low ports, roles keep this user: for development only");
	return run(s) ? 1 : 0;
}
