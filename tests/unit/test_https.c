/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pure parts of the TLS listener: who has room, who is let in, which certificate is taken. Keys and certificates are made here. */
#include "api/certificate.h"
#include "api/crowd.h"
#include "api/https.h"
#include "api/login.h"
#include "api/toll.h"
#include "unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define NOW INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define DAY_S 86400

static struct address host(uint8_t last)
{
	return (struct address){.family = 4, .port = 1000, .bytes = {10, 0, 0, last}};
}

/* --- connections --------------------------------------------------------------------------------------- */

static unsigned fill(struct crowd *crowd, const struct peer *p, struct connection **last)
{
	unsigned n = 0;

	for (; n < 1000 && crowd_has_room(crowd, p); n++)
		*last = crowd_add(crowd, p, -1, 0);
	return n;
}

static void empty(struct crowd *crowd)
{
	while (crowd->first)
		crowd_remove(crowd, crowd->first);
}

static void test_room(void)
{
	struct crowd crowd = {0};
	struct peer https = {.face = FACE_HTTPS, .from = host(1)}, http = {.face = FACE_HTTP, .from = host(1)}, user = {.uid = 1000}, root = {.uid = 0};
	struct connection *last = NULL;

	CU_ASSERT_EQUAL(fill(&crowd, &https, &last), CONNECTIONS_PER_ADDRESS);
	crowd_remove(&crowd, last);
	CU_ASSERT_EQUAL(fill(&crowd, &https, &last), 1);
	https.from = host(2);
	CU_ASSERT_EQUAL(fill(&crowd, &https, &last), CONNECTIONS_PER_ADDRESS);
	https.from = host(3);
	CU_ASSERT_EQUAL(fill(&crowd, &https, &last), CONNECTIONS_HTTPS - 2 * CONNECTIONS_PER_ADDRESS);
	/* many strangers over TLS take nothing from the others */
	CU_ASSERT_EQUAL(fill(&crowd, &http, &last), CONNECTIONS_HTTP);
	CU_ASSERT_EQUAL(fill(&crowd, &user, &last), CONNECTIONS_PER_UID);
	CU_ASSERT_EQUAL(fill(&crowd, &root, &last), CONNECTIONS_MAX - CONNECTIONS_HTTPS - CONNECTIONS_HTTP - CONNECTIONS_PER_UID);
	CU_ASSERT_EQUAL(crowd.count, CONNECTIONS_MAX);
	CU_ASSERT(CONNECTIONS_MAX - CONNECTIONS_HTTPS - CONNECTIONS_HTTP > CONNECTIONS_PER_UID); /* one user and all strangers leave root a place */
	empty(&crowd);
	CU_ASSERT_EQUAL(crowd.count + crowd.of_face[FACE_LOCAL] + crowd.of_face[FACE_HTTP] + crowd.of_face[FACE_HTTPS], 0);
}

static void test_origins(void)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&s;
	struct address a, b;

	CU_ASSERT(address_parse("[2001:db8::1]:5", 0, &a) && address_parse("[2001:db8::ffff:2]:6", 0, &b));
	CU_ASSERT_TRUE(crowd_same_origin(&a, &b));
	CU_ASSERT(address_parse("[2001:db8:0:1::1]:5", 0, &b));
	CU_ASSERT_FALSE(crowd_same_origin(&a, &b));
	CU_ASSERT(address_parse("10.0.0.7:5", 0, &a));
	CU_ASSERT_FALSE(crowd_same_origin(&a, &b));
	/* all of IPv4 is one network of 64 bits as IPv6 shows it: it must not count as one */
	CU_ASSERT(address_parse("[::ffff:10.0.0.7]:9", 0, &b));
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, b.bytes, 16);
	CU_ASSERT_TRUE(crowd_origin(&s, &b));
	CU_ASSERT_EQUAL(b.family, 4);
	CU_ASSERT_TRUE(crowd_same_origin(&a, &b));
	s.ss_family = AF_UNIX;
	CU_ASSERT_FALSE(crowd_origin(&s, &b));
}

/* --- handshakes --------------------------------------------------------------------------------------------- */

static unsigned takes(struct tolls *t, const struct address *from, unsigned tries, int64_t now_ms, enum toll *last)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < tries; i++)
		passed += (*last = toll_take(t, from, now_ms)) == TOLL_PASS;
	return passed;
}

static void test_toll_of_address(void)
{
	static struct tolls t;
	struct address a = host(1), b = host(2);
	enum toll last;

	toll_begin(&t, NOW);
	CU_ASSERT_EQUAL(takes(&t, &a, 100, NOW, &last), TOLL_ADDRESS_BURST);
	CU_ASSERT_EQUAL(last, TOLL_ADDRESS);
	a.port++; /* another connection of the same host */
	CU_ASSERT_EQUAL(takes(&t, &a, 1, NOW, &last), 0);
	CU_ASSERT_EQUAL(takes(&t, &b, 1, NOW, &last), 1);
	/* an hour of one that never stops, ten times a second */
	unsigned passed = 0;
	for (int i = 1; i <= 36000; i++)
		passed += takes(&t, &a, 1, NOW + i * INT64_C(100), &last);
	CU_ASSERT_EQUAL(passed, 3600 * TOLL_ADDRESS_PER_S);
	int64_t rest = NOW + INT64_C(36000) * 100 + TOLL_ADDRESS_BURST * INT64_C(1000) / TOLL_ADDRESS_PER_S;
	CU_ASSERT_EQUAL(takes(&t, &a, 100, rest - 1, &last), TOLL_ADDRESS_BURST - 1);
	CU_ASSERT_EQUAL(takes(&t, &a, 100, rest - 1000, &last), 0); /* a clock that went back gives nothing */
	/* all of a network of 64 bits of IPv6 is one */
	CU_ASSERT(address_parse("[2001:db8::1]:5", 0, &a) && address_parse("[2001:db8::ffff:2]:6", 0, &b));
	CU_ASSERT_EQUAL(takes(&t, &a, 20, rest + 60000, &last) + takes(&t, &b, 20, rest + 60000, &last), TOLL_ADDRESS_BURST);
}

static struct address stranger(unsigned n)
{
	return (struct address){.family = 4, .bytes = {100, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

/* Strangers from everywhere get what there is but for the part of those who are known; these have it whole, whatever the strangers do. */
static void test_toll_of_all(void)
{
	static struct tolls t;
	struct address known = host(1), from;
	enum toll last = TOLL_PASS;
	unsigned passed = 0, n = 0;

	toll_begin(&t, NOW);
	toll_know(&t, &known, NOW);
	for (; n < 1000; n++) {
		from = stranger(n);
		passed += takes(&t, &from, 1, NOW, &last);
	}
	CU_ASSERT_EQUAL(passed, TOLL_WHOLE_BURST - TOLL_KNOWN_ONLY);
	CU_ASSERT_EQUAL(last, TOLL_WHOLE);
	CU_ASSERT_EQUAL(takes(&t, &known, 100, NOW, &last), TOLL_KNOWN_ONLY); /* the whole is a bound for him, too */
	CU_ASSERT_EQUAL(last, TOLL_WHOLE);
	/* a minute of 2,000 strangers a second; he comes once each 2 s and is let in each time, and so is no more than the whole */
	int64_t at = NOW + 60000;
	unsigned his = 0;
	passed = 0;
	for (int i = 0; i < 60000; i++) {
		for (int k = 0; k < 2; k++, n++) {
			from = stranger(n);
			passed += takes(&t, &from, 1, at + i, &last);
		}
		his += i % 2000 == 0 ? takes(&t, &known, 1, at + i, &last) : 0;
	}
	CU_ASSERT_EQUAL(his, 30);
	CU_ASSERT(passed + his <= TOLL_WHOLE_BURST + 60 * TOLL_WHOLE_PER_S && passed + his > 59 * TOLL_WHOLE_PER_S);
	/* a day after his last log-in he is a stranger again */
	at = NOW + TOLL_KNOWN_MS;
	for (n = 0; n < 100; n++) {
		from = stranger(n);
		takes(&t, &from, 1, at, &last);
	}
	CU_ASSERT_EQUAL(takes(&t, &known, 1, at, &last), 0);
}

/* Whoever has taken his burst is remembered until it is full again, however many others come; so is who is known, by the last to have come. */
static void test_toll_memory(void)
{
	static struct tolls t;
	struct address greedy = host(1), known = host(2), from;
	enum toll last;

	toll_begin(&t, NOW);
	toll_know(&t, &known, NOW + 1);
	CU_ASSERT_EQUAL(takes(&t, &greedy, 31, NOW, &last), TOLL_ADDRESS_BURST);
	for (unsigned n = 0; n < 80000; n++) {
		from = stranger(n);
		takes(&t, &from, 1, NOW + n / 20, &last);
	}
	CU_ASSERT_EQUAL(takes(&t, &greedy, 100, NOW + 5000, &last), 5 * TOLL_ADDRESS_PER_S);
	for (unsigned n = 0; n < TOLL_ADDRESSES; n++) { /* more are known than there are places: he, whose log-in is the oldest, goes */
		from = stranger(n);
		toll_know(&t, &from, NOW + 20000 + n);
	}
	unsigned known_left = 0;
	for (size_t i = 0; i < TOLL_ADDRESSES; i++)
		known_left += t.sources[i].known_until_ms != 0 && !crowd_same_origin(&t.sources[i].from, &known);
	CU_ASSERT_EQUAL(known_left, TOLL_ADDRESSES);
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0;
}

/* Each kind of peer in each state, and when its time is over. */
static void test_slow(void)
{
	static const struct {
		enum face face;
		bool asked, endless;
		int64_t ends_ms; /* 0 never */
	} cases[] = {{FACE_HTTPS, false, false, ASKING_MS},  {FACE_HTTP, false, false, ASKING_MS}, {FACE_HTTPS, true, false, ANSWERING_MS},
		     {FACE_HTTP, true, false, ANSWERING_MS}, {FACE_HTTPS, true, true, 0},	    {FACE_LOCAL, false, false, 0},
		     {FACE_LOCAL, true, false, 0}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct crowd crowd = {0};
		struct peer p = {.face = cases[i].face, .from = host(1)};
		int ends[2];
		CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		struct connection *c = crowd_add(&crowd, &p, ends[0], NOW);
		if (cases[i].asked)
			crowd_asked(c, true, cases[i].endless, NOW);
		CU_ASSERT_EQUAL(crowd_end_slow(&crowd, NOW + (cases[i].ends_ms ? cases[i].ends_ms : INT64_C(100000000)) - 1), 0);
		CU_ASSERT_TRUE(is_open(ends[1]));
		if (cases[i].ends_ms) {
			CU_ASSERT_EQUAL(crowd_end_slow(&crowd, NOW + cases[i].ends_ms), 1);
			CU_ASSERT_FALSE(is_open(ends[1]));
			CU_ASSERT_EQUAL(crowd_end_slow(&crowd, NOW + cases[i].ends_ms + 1), 0);
		}
		close(ends[0]);
		close(ends[1]);
		empty(&crowd);
	}
}

static void test_streams_end(void)
{
	struct crowd crowd = {0};
	struct connection *c[3];
	int ends[3][2];

	for (int i = 0; i < 3; i++) {
		struct peer p = {.face = i == 2 ? FACE_HTTP : FACE_HTTPS, .from = host(1)};
		CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
		c[i] = crowd_add(&crowd, &p, ends[i][0], NOW);
		crowd_asked(c[i], true, i != 1, NOW);
	}
	crowd_end_streams(&crowd);
	CU_ASSERT_FALSE(is_open(ends[0][1]));
	CU_ASSERT_TRUE(is_open(ends[1][1])); /* an answer that ends by itself */
	CU_ASSERT_TRUE(is_open(ends[2][1])); /* a listener without users */
	for (int i = 0; i < 3; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	empty(&crowd);
}

/* --- users --------------------------------------------------------------------------------------------- */

static const struct {
	const char *header, *name, *password; /* name NULL: none */
} headers[] = {
    {"Basic YTpi", "a", "b"},
    {"basic  YTpi ", "a", "b"},
    {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
    {"Basic YTo=", "a", ""},
    {"Basic Og==", "", ""},
    {"Basic YTpiOmM=", "a", "b:c"},
    {"", NULL, NULL},
    {"Basic", NULL, NULL},
    {"Basic ", NULL, NULL},
    {"Basic YTp", NULL, NULL},      /* no multiple of four */
    {"Basic YT=i", NULL, NULL},     /* padding inside */
    {"Basic Y===", NULL, NULL},
    {"Basic ====", NULL, NULL},
    {"Basic YTp\xffYTpi", NULL, NULL},
    {"Basic YWI=", NULL, NULL},     /* no colon */
    {"Basic YToAYg==", NULL, NULL}, /* a zero byte */
    {"Bearer YTpi", NULL, NULL},
    {"Basic YTpi YTpi", NULL, NULL},
};

static void test_headers(void)
{
	char out[LOGIN_HEADER_MAX], big[LOGIN_HEADER_MAX + 8];
	size_t at;

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		bool is = login_parse(headers[i].header, out, &at);
		CU_ASSERT_EQUAL(is, headers[i].name != NULL);
		if (is && headers[i].name) {
			CU_ASSERT_STRING_EQUAL(out, headers[i].name);
			CU_ASSERT_STRING_EQUAL(out + at, headers[i].password);
		}
	}
	text_format(big, sizeof big, "Basic %0*d", LOGIN_HEADER_MAX - 6, 0);
	CU_ASSERT_FALSE(login_parse(big, out, &at));
	/* a name that no user can have: "000...:" of 64 bytes and more */
	text_format(big, sizeof big, "Basic %0100dYTpi", 0);
	CU_ASSERT_FALSE(login_parse(big, out, &at));
}

static struct msg_user user_of(const char *name, uint8_t right, uint8_t https)
{
	struct msg_user u;

	memset(&u, 0, sizeof u);
	text_copy(u.name, sizeof u.name, name);
	u.right = right;
	u.https = https;
	return u;
}

/* "viewer:correct horse" and so on */
#define GOOD "Basic dmlld2VyOmNvcnJlY3QgaG9yc2U="
#define WRONG "Basic dmlld2VyOmNvcnJlY3QgaG9yc2Y="
#define UNIX_USER "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="

static void test_logins(void)
{
	struct msg_user list[] = {user_of("viewer", RIGHT_VIEW, 1), user_of("alice", RIGHT_ADMIN, 0)};
	struct address from = host(1);
	char name[NAME_SIZE] = "";
	struct error e;

	login_users(list, COUNT_OF(list));
	CU_ASSERT_EQUAL(login_check(NULL, &from, NOW, name), LOGIN_NONE);
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_BAD); /* his secret is not there yet */
	CU_ASSERT_EQUAL(login_password("viewer", "# comment\npassword=correct horse\n", &e), 0);
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_GOOD);
	CU_ASSERT_STRING_EQUAL(name, "viewer");
	CU_ASSERT_EQUAL(login_check(WRONG, &from, NOW, name), LOGIN_BAD);
	CU_ASSERT_EQUAL(login_password("alice", "password=correct horse", &e), 0);
	CU_ASSERT_EQUAL(login_check(UNIX_USER, &from, NOW, name), LOGIN_BAD); /* a user of another kind has no password here */
	login_users(list, COUNT_OF(list)); /* read again: he stays */
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_GOOD);
	CU_ASSERT_EQUAL(login_password("viewer", "password=another one\r\n", &e), 0);
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_BAD);
	CU_ASSERT_EQUAL(login_password("viewer", "password=correct horse", &e), 0);
	login_forget("viewer");
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_BAD);
	from = host(9);
	CU_ASSERT_EQUAL(login_password("viewer", "password=short\n", &e), ERR_CONFIG);
	CU_ASSERT(strstr(e.object, "https/viewer") && strstr(e.text, "5 bytes") && strstr(e.remedy, "password="));
	CU_ASSERT_EQUAL(login_password("viewer", "correct horse", &e), ERR_CONFIG);
	CU_ASSERT_EQUAL(login_password("viewer", "passwort=correct horse\npassword=correct horse", &e), 0);
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_GOOD);
	login_users(list + 1, 1);
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_BAD);
}

static void test_guessing(void)
{
	struct msg_user viewer = user_of("viewer", RIGHT_VIEW, 1);
	struct address bad = host(20), other = host(21);
	char name[NAME_SIZE];
	struct error e;
	int64_t now = NOW + INT64_C(1000000000);

	login_users(&viewer, 1);
	CU_ASSERT_EQUAL(login_password("viewer", "password=correct horse", &e), 0);
	for (int i = 0; i < LOGIN_TRIES; i++)
		CU_ASSERT_EQUAL(login_check(i % 2 ? WRONG : "rubbish", &bad, now, name), LOGIN_BAD);
	CU_ASSERT_EQUAL(login_check(GOOD, &bad, now, name), LOGIN_WAIT); /* else it would be no brake */
	CU_ASSERT_EQUAL(login_check(NULL, &bad, now, name), LOGIN_NONE);
	CU_ASSERT_EQUAL(login_check(GOOD, &other, now, name), LOGIN_GOOD);
	CU_ASSERT_EQUAL(login_check(WRONG, &bad, now + LOGIN_TRY_AGAIN_MS - 1, name), LOGIN_WAIT);
	CU_ASSERT_EQUAL(login_check(WRONG, &bad, now + LOGIN_TRY_AGAIN_MS, name), LOGIN_BAD);
	CU_ASSERT_EQUAL(login_check(GOOD, &bad, now + LOGIN_TRY_AGAIN_MS, name), LOGIN_WAIT);
	CU_ASSERT_EQUAL(login_check(GOOD, &bad, now + 2 * LOGIN_TRY_AGAIN_MS, name), LOGIN_GOOD);
	/* guesses of a day: a few at once, then one in ten seconds */
	unsigned looked_at = 0;
	for (int64_t t = 0; t < INT64_C(86400000); t += 1000)
		looked_at += login_check(WRONG, &other, now + t, name) == LOGIN_BAD;
	CU_ASSERT(looked_at <= 8640 + LOGIN_TRIES && looked_at > 8000);
	/* more addresses than places: the table forgets those that have been quiet longest, and stays sound */
	for (int i = 0; i < 1000; i++) {
		struct address many = {.family = 4, .bytes = {10, 9, (uint8_t)(i >> 8), (uint8_t)i}};
		CU_ASSERT_EQUAL(login_check(WRONG, &many, now + INT64_C(200000000) + i, name), LOGIN_BAD);
	}
}

/* --- certificates -------------------------------------------------------------------------------------- */

struct made {
	char certificate[8192], key[8192];
};

static gnutls_x509_privkey_t new_key(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	gnutls_x509_privkey_t key;

	CU_ASSERT_FATAL(!gnutls_x509_privkey_init(&key) && !gnutls_x509_privkey_generate(key, algorithm, bits, 0));
	return key;
}

static void make(struct made *m, gnutls_pk_algorithm_t algorithm, unsigned bits, int64_t begins_s, int64_t ends_s)
{
	gnutls_x509_privkey_t key = new_key(algorithm, bits);
	gnutls_x509_crt_t c;
	size_t a = sizeof m->certificate - 1, b = sizeof m->key - 1;
	static unsigned char serial;
	char name[32];

	serial++;
	text_format(name, sizeof name, "CN=glory%u", serial);
	memset(m, 0, sizeof *m);
	CU_ASSERT_FATAL(!gnutls_x509_crt_init(&c) && !gnutls_x509_crt_set_dn(c, name, NULL) && !gnutls_x509_crt_set_key(c, key) &&
			!gnutls_x509_crt_set_version(c, 3) && !gnutls_x509_crt_set_serial(c, &serial, 1) &&
			!gnutls_x509_crt_set_activation_time(c, (time_t)begins_s) && !gnutls_x509_crt_set_expiration_time(c, (time_t)ends_s) &&
			!gnutls_x509_crt_sign2(c, c, key, GNUTLS_DIG_SHA256, 0));
	CU_ASSERT_FATAL(!gnutls_x509_crt_export(c, GNUTLS_X509_FMT_PEM, m->certificate, &a) &&
			!gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, m->key, &b));
	gnutls_x509_crt_deinit(c);
	gnutls_x509_privkey_deinit(key);
}

static enum https_trouble why;
static int64_t end_ms;

static int load(const char *certificate, const char *key, struct error *e)
{
	memset(e, 0, sizeof *e);
	why = HTTPS_TROUBLE_COUNT;
	return certificate_load(certificate, strlen(certificate), key, "/etc/glory/https.pem", "https", NOW, &why, &end_ms, e);
}

static struct made good, another, old, young, weak;

static void make_all(void)
{
	int64_t now_s = NOW / 1000;

	make(&good, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), now_s - DAY_S, now_s + 100 * DAY_S);
	make(&another, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), now_s - DAY_S, now_s + 200 * DAY_S);
	make(&old, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), now_s - 100 * DAY_S, now_s - 1);
	make(&young, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), now_s + DAY_S, now_s + 100 * DAY_S);
	make(&weak, GNUTLS_PK_RSA, 1024, now_s - DAY_S, now_s + 100 * DAY_S);
}

static void test_certificates(void)
{
	const struct {
		const char *certificate, *key, *object, *why;
		enum https_trouble trouble;
	} refused[] = {
	    {"", good.key, "/etc/glory/https.pem", "holds no certificate", HTTPS_NO_CHAIN},
	    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good.key, "/etc/glory/https.pem", "holds no certificate", HTTPS_NO_CHAIN},
	    {good.key, good.key, "/etc/glory/https.pem", "holds no certificate", HTTPS_NO_CHAIN},
	    {old.certificate, old.key, "/etc/glory/https.pem", "ended on 2025-12-31T23:59:59", HTTPS_ENDED},
	    {weak.certificate, weak.key, "/etc/glory/https.pem", "1024 bits is too weak", HTTPS_WEAK},
	    {good.certificate, "", "secret tls/https", "holds no private key", HTTPS_BAD_KEY},
	    {good.certificate, good.certificate, "secret tls/https", "holds no private key", HTTPS_BAD_KEY},
	    {good.certificate, another.key, "secret tls/https", "is not the key of the first certificate in /etc/glory/https.pem", HTTPS_OTHER_KEY},
	};
	struct error e;

	make_all();
	CU_ASSERT_EQUAL(certificate_number(), 0);
	CU_ASSERT_EQUAL(load(good.certificate, good.key, &e), 0);
	CU_ASSERT_EQUAL(certificate_ends_ms(), NOW + INT64_C(100) * DAY_S * 1000);
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		CU_ASSERT_EQUAL(load(refused[i].certificate, refused[i].key, &e), ERR_CONFIG);
		CU_ASSERT_EQUAL(why, refused[i].trouble);
		CU_ASSERT(why != HTTPS_ENDED || end_ms == (NOW / 1000 - 1) * 1000);
		bool told = !strcmp(e.object, refused[i].object) && strstr(e.text, refused[i].why) && e.remedy[0];
		CU_ASSERT_TRUE(told);
		if (!told)
			printf("%zu gives \"%s\" \"%s\" \"%s\"\n", i, e.object, e.text, e.remedy);
		CU_ASSERT_EQUAL(certificate_ends_ms(), NOW + INT64_C(100) * DAY_S * 1000); /* the good one stays */
	}
	char *two = mem_format("%s%s", good.certificate, another.certificate);
	CU_ASSERT_EQUAL(load(two, good.key, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "not in order"));
	CU_ASSERT_EQUAL(why, HTTPS_NO_CHAIN);
	free(two);
	CU_ASSERT_EQUAL(load(young.certificate, young.key, &e), 0); /* our clock may be the wrong one */
	certificate_off();
	CU_ASSERT_EQUAL(certificate_number(), 0);
	certificate_forget(UINT64_MAX);
}

static bool shows(const struct made *m)
{
	gnutls_pcert_st *chain = NULL;
	gnutls_privkey_t key = NULL;
	gnutls_x509_crt_t c;
	gnutls_datum_t text = {0};
	unsigned length = 0;

	if (certificate_retrieve(NULL, NULL, 0, NULL, 0, &chain, &length, &key) || length != 1 || !key)
		return false;
	CU_ASSERT_FATAL(!gnutls_pcert_export_x509(chain, &c) && !gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &text));
	bool same = text.size == strlen(m->certificate) && !memcmp(text.data, m->certificate, text.size);
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(c);
	return same;
}

/* A certificate stays whole as long as a connection may use it; the address sanitizer's run looks at what is freed. */
static void test_renewal(void)
{
	gnutls_pcert_st *chain = NULL;
	gnutls_privkey_t key = NULL;
	struct error e;
	unsigned length;

	CU_ASSERT_FALSE(shows(&good));
	CU_ASSERT_EQUAL(load(good.certificate, good.key, &e), 0);
	CU_ASSERT_TRUE(shows(&good));
	uint64_t first = certificate_number();
	certificate_retrieve(NULL, NULL, 0, NULL, 0, &chain, &length, &key);
	CU_ASSERT_EQUAL(load(another.certificate, another.key, &e), 0);
	CU_ASSERT_TRUE(shows(&another));
	CU_ASSERT_EQUAL(certificate_number(), first + 1);
	certificate_forget(first); /* a connection that came under the first is still there */
	CU_ASSERT(gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_ECDSA && chain->pubkey);
	certificate_forget(UINT64_MAX);
	CU_ASSERT_TRUE(shows(&another));
	certificate_off();
	certificate_forget(first + 1);
	CU_ASSERT_FALSE(shows(&another));
	CU_ASSERT_EQUAL(load(good.certificate, good.key, &e), 0);
	CU_ASSERT_TRUE(shows(&good));
	certificate_off();
	certificate_forget(UINT64_MAX);
}

/* --- as supervisor and engine hand it over -------------------------------------------------------------- */

static struct msg_secret_ask asked[8];
static size_t asked_count;

static void note(const struct msg_secret_ask *m)
{
	if (asked_count < COUNT_OF(asked))
		asked[asked_count++] = *m;
}

static struct msg_https_state said;
static unsigned said_count;

static void hear(const struct msg_https_state *m)
{
	said = *m;
	said_count++;
}

/* It was told once since the last time, and so. */
static bool says(enum https_trouble trouble, bool served, const char *name)
{
	bool so = said_count == 1 && said.trouble == (uint32_t)trouble && said.served == served && !strcmp(said.name, name);

	if (!so)
		printf("%u times: trouble %u, served %u, \"%s\"\n", said_count, said.trouble, said.served, said.name);
	said_count = 0;
	return so;
}

static int file_of(const char *text)
{
	int fd = memfd_create("certificate", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void answer(uint32_t class, const char *name, int status, const char *text)
{
	struct msg_secret m = {.secret_class = class, .status = status};

	text_copy(m.name, sizeof m.name, name);
	text_copy(m.text, sizeof m.text, text);
	https_secret(&m);
}

static void test_handing_over(void)
{
	struct msg_https m = {.on = 1, .certificate = "/c.pem", .key = "k"};
	struct msg_user list[] = {user_of("viewer", RIGHT_VIEW, 1), user_of("alice", RIGHT_ADMIN, 0)};
	struct address from = host(30);
	struct made now;
	char name[NAME_SIZE];

	make(&now, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), clock_wall_ms() / 1000 - DAY_S, clock_wall_ms() / 1000 + DAY_S);
	https_begin(note, hear);
	https_offer(&m, file_of(now.certificate));
	https_tell_again();
	CU_ASSERT_EQUAL(said_count, 0); /* nothing is known yet */
	CU_ASSERT(asked_count == 1 && asked[0].secret_class == SECRET_TLS && !strcmp(asked[0].name, "k"));
	CU_ASSERT_EQUAL(certificate_number(), 0);
	answer(SECRET_TLS, "other", 0, now.key); /* nobody asked for that */
	CU_ASSERT_EQUAL(certificate_number(), 0);
	answer(SECRET_TLS, "k", 0, now.key);
	uint64_t number = certificate_number();
	CU_ASSERT_NOT_EQUAL(number, 0);
	CU_ASSERT_TRUE(says(HTTPS_ENDS_SOON, true, ""));
	CU_ASSERT_EQUAL(said.when_wall_ms, certificate_ends_ms());
	answer(SECRET_TLS, "k", 0, now.key); /* twice */
	CU_ASSERT_EQUAL(certificate_number(), number);
	CU_ASSERT_EQUAL(said_count, 0);
	/* what is wrong leaves the one in force: no key, another's key, no file, a file of rubbish; each is told, once */
	https_offer(&m, file_of(now.certificate));
	answer(SECRET_TLS, "k", ERR_NOT_FOUND, "");
	CU_ASSERT_TRUE(says(HTTPS_NO_KEY, true, ""));
	https_offer(&m, file_of(now.certificate));
	answer(SECRET_TLS, "k", ERR_NOT_FOUND, "");
	https_tick(clock_wall_ms());
	CU_ASSERT_EQUAL(said_count, 0);
	https_tell_again(); /* to an engine that begins */
	CU_ASSERT_TRUE(says(HTTPS_NO_KEY, true, ""));
	https_offer(&m, file_of(now.certificate));
	answer(SECRET_TLS, "k", 0, another.key);
	CU_ASSERT_TRUE(says(HTTPS_OTHER_KEY, true, ""));
	https_offer(&m, file_of(old.certificate));
	answer(SECRET_TLS, "k", 0, old.key);
	CU_ASSERT_TRUE(says(HTTPS_ENDED, true, ""));
	CU_ASSERT_EQUAL(said.when_wall_ms, (NOW / 1000 - 1) * 1000);
	m.trouble = 2;
	asked_count = 0;
	https_offer(&m, -1);
	CU_ASSERT_TRUE(says(HTTPS_NO_FILE, true, ""));
	m.trouble = 0;
	char *long_text = mem_zalloc(CERTIFICATE_FILE_MAX + 2);
	memset(long_text, 'x', CERTIFICATE_FILE_MAX + 1);
	https_offer(&m, file_of(long_text));
	free(long_text);
	CU_ASSERT_TRUE(says(HTTPS_NO_CHAIN, true, ""));
	CU_ASSERT_EQUAL(asked_count, 0);
	CU_ASSERT_EQUAL(certificate_number(), number);
	/* users */
	https_users(list, COUNT_OF(list));
	CU_ASSERT(asked_count == 1 && asked[0].secret_class == SECRET_HTTPS && !strcmp(asked[0].name, "viewer"));
	answer(SECRET_HTTPS, "viewer", 0, "password=correct horse\n");
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_GOOD);
	CU_ASSERT_TRUE(says(HTTPS_WELL, true, "viewer"));
	answer(SECRET_HTTPS, "viewer", ERR_NOT_FOUND, "");
	CU_ASSERT_EQUAL(login_check(GOOD, &from, NOW, name), LOGIN_BAD);
	CU_ASSERT_TRUE(says(HTTPS_NO_PASSWORD, true, "viewer"));
	answer(SECRET_HTTPS, "viewer", 0, "password=short\n");
	CU_ASSERT_TRUE(says(HTTPS_BAD_PASSWORD, true, "viewer"));
	/* off at once */
	m.on = 0;
	https_offer(&m, -1);
	CU_ASSERT_EQUAL(certificate_number(), 0);
	CU_ASSERT_TRUE(says(HTTPS_WELL, false, ""));
	https_end();
}

/* A certificate that comes to its end while it is served, by the hour; and a fresh one. */
static void test_end_is_told(void)
{
	struct msg_https m = {.on = 1, .certificate = "/c.pem", .key = "k"};
	int64_t begins_s = clock_wall_ms() / 1000 - DAY_S, ends_s = begins_s + 100 * DAY_S, ends_ms = ends_s * 1000;
	struct made now;

	make(&now, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), begins_s, ends_s);
	https_begin(note, hear);
	https_offer(&m, file_of(now.certificate));
	answer(SECRET_TLS, "k", 0, now.key);
	CU_ASSERT_TRUE(says(HTTPS_WELL, true, ""));
	https_tick(ends_ms - INT64_C(14) * DAY_S * 1000);
	CU_ASSERT_EQUAL(said_count, 0);
	https_tick(ends_ms - INT64_C(14) * DAY_S * 1000 + 1);
	CU_ASSERT_TRUE(says(HTTPS_ENDS_SOON, true, ""));
	https_tick(ends_ms - 1);
	CU_ASSERT_EQUAL(said_count, 0);
	https_tick(ends_ms);
	CU_ASSERT_TRUE(says(HTTPS_ENDED, false, ""));
	https_tick(begins_s * 1000 - 1); /* the clock was wrong */
	CU_ASSERT_TRUE(says(HTTPS_NOT_YET, true, ""));
	https_offer(&m, file_of(now.certificate));
	answer(SECRET_TLS, "k", 0, now.key);
	CU_ASSERT_TRUE(says(HTTPS_WELL, true, ""));
	https_end();
}

static const struct unit_test tests[] = {
    {"room", test_room},
    {"origins", test_origins},
    {"handshakes of an address", test_toll_of_address},
    {"handshakes of all", test_toll_of_all},
    {"who is remembered", test_toll_memory},
    {"slow clients", test_slow},
    {"streams end", test_streams_end},
    {"headers", test_headers},
    {"logins", test_logins},
    {"guessing", test_guessing},
    {"certificates", test_certificates},
    {"renewal", test_renewal},
    {"handing over", test_handing_over},
    {"the end is told", test_end_is_told},
};
UNIT_MAIN("https", tests)
