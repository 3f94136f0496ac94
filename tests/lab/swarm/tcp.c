/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listener whose packets pass a small eBPF filter: one byte for each address says whether the machine is dead. Called
 * by main.c and ctl.c. */
#include "tests/lab/swarm/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ADDRESSES = 65536, BACKLOG = 4096, HUNG_MAX = 256, DESTINATION = 16 };

static uint8_t *dead; /* by the low 16 bits of the address; shared with the filter */
static int map_fd = -1, program_fd = -1, hung[HUNG_MAX];
static unsigned hung_count;

static int bpf(int what, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, what, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = ADDRESSES,
			       .map_flags = BPF_F_MMAPABLE};
	void *at;

	map_fd = bpf(BPF_MAP_CREATE, &attr);
	if (map_fd < 0)
		return -1;
	at = mmap(NULL, (size_t)ADDRESSES * 8, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (at == MAP_FAILED)
		return -1;
	dead = at;
	return 0;
}

/* return dead[ip.destination & 0xffff] ? 0 : whole packet */
static int make_program(void)
{
	const struct bpf_insn code[] = {
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0},
		{BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, SKF_NET_OFF + DESTINATION},
		{BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, 0xffff},
		{BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, -4, 0},
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4},
		{BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd},
		{0, 0, 0, 0, 0},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem},
		{BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 4, 0},
		{BPF_LDX | BPF_MEM | BPF_B, BPF_REG_1, BPF_REG_0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 2, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0x7fffffff},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	static const char license[] = "GPL";
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .insn_cnt = sizeof(code) / sizeof(code[0]),
			       .insns = (uint64_t)(uintptr_t)code,
			       .license = (uint64_t)(uintptr_t)license};

	program_fd = bpf(BPF_PROG_LOAD, &attr);
	return program_fd < 0 ? -1 : 0;
}

int tcp_open(struct swarm *swarm, uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || make_map() < 0 || make_program() < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program_fd, sizeof(program_fd)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, BACKLOG) < 0) {
		fprintf(stderr, "swarm: tcp port %u: %s, run as root or leave it out with --tcp-port 0\n", port,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (unsigned i = 0; i < swarm->agents; i++)
		tcp_update(swarm, i);
	return fd;
}

void tcp_close(void)
{
	while (hung_count > 0)
		close(hung[--hung_count]);
	if (dead)
		munmap(dead, (size_t)ADDRESSES * 8);
	if (program_fd >= 0)
		close(program_fd);
	if (map_fd >= 0)
		close(map_fd);
	dead = NULL;
	map_fd = program_fd = -1;
}

/* Holds the connection of a hung machine open, the oldest give way. */
static void hold(int fd)
{
	if (hung_count == HUNG_MAX) {
		close(hung[0]);
		memmove(hung, hung + 1, sizeof(hung) - sizeof(hung[0]));
		hung_count--;
	}
	hung[hung_count++] = fd;
}

void tcp_ready(struct swarm *swarm, int listener)
{
	static const char banner[] = "SSH-2.0-swarm\r\n";
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct sockaddr_in asked = {0};
		socklen_t size = sizeof(asked);
		int agent = -1;
		if (getsockname(fd, (struct sockaddr *)&asked, &size) == 0)
			agent = swarm_agent_of(swarm, asked.sin_addr.s_addr);
		swarm->sums.connections++;
		if (agent >= 0 && swarm->agent[agent].knobs.hung) {
			hold(fd);
			continue;
		}
		if (agent >= 0)
			send(fd, banner, sizeof(banner) - 1, MSG_NOSIGNAL);
		close(fd);
	}
}

void tcp_update(const struct swarm *swarm, unsigned agent)
{
	uint32_t address = agent / PER_NET << 8 | (agent % PER_NET + 1);

	if (dead)
		dead[(size_t)address * 8] = swarm->agent[agent].off || swarm->agent[agent].knobs.dead;
}
