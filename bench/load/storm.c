/*
 * Sessions of the extended mode that lose their server and all resume at once, beside clients that talk meanwhile.
 *
 * Connects all sessions, prints a line, and waits for a line with the process id of the server that is started in
 * their place. Then some plain clients connect and talk at a pace, and all sessions resume. Each session must resume,
 * and receive every message once and in order; latencies are those of the plain clients.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTING_AT_ONCE 500
/* Nothing comes in for so long once all that was broadcast has arrived. */
#define QUIET_NS 500000000u
#define DRAIN_NS 10000000000u
#define CONNECT_NS 120000000000u
/* Its end, if nothing else ends it: both connects may take their time, and the server starts between them. */
#define STORM_SECONDS_MAX 300
/* A connection that is cut before its handshake is tried again after half a second to a second and a half. */
#define RETRY_MIN_NS 500000000u
#define RETRY_SPREAD_NS 1000000000u

typedef struct session {
  char token[64];
  unsigned long long position; /* of the last broadcast that it received */
  uint64_t retry_at; /* 0 unless its connection was cut */
} Session;

static Client *clients; /* first those who talk, then the sessions */
static Session *sessions;
static uint32_t talkers, all, ready_count;
static uint64_t storm_at, frames, cuts;
static Histogram resumes;

static Session *session_of(const Client *client) {
  return client->number < talkers ? NULL : &sessions[client->number - talkers];
}

static void greet(Client *client) {
  char text[128];
  const Session *session = session_of(client);
  int length = session != NULL && session->token[0] != 0
    ? snprintf(text, sizeof text, "c2/RESUME %s; %llu", session->token, session->position)
    : snprintf(text, sizeof text, "c2/CONNECT %s", client->name);
  websocket_text(client, text, (size_t)length);
}

static void note_ready(Client *client) {
  ready_count++;
  client->may_end = false;
  if (storm_at != 0 && session_of(client) != NULL) histogram_add(&resumes, now_ns() - storm_at);
}

static void count_message(Client *client, uint32_t lane, uint64_t now) {
  (void)lane, (void)now;
  Session *session = session_of(client);
  if (session != NULL) session->position++;
}

static bool begins(const char *text, size_t length, const char *with) {
  return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* What only sessions of the extended mode receive. */
static bool receive_other(Client *client, const char *text, size_t length) {
  Session *session = session_of(client);
  char copy[128];
  frames++;
  if (session == NULL) return false;
  if (begins(text, length, "c2/JOIN ")) session->position++;
  else if (begins(text, length, "c2/SESSION ")) {
    snprintf(copy, sizeof copy, "%.*s", (int)length, text);
    return sscanf(copy, "c2/SESSION %63[^;]; %llu", session->token, &session->position) == 2;
  } else return begins(text, length, "c2/BACK ") || begins(text, length, "c2/AWAY ");
  return true;
}

static void note_cut(Client *client) {
  static uint32_t spread = 1;
  Session *session = session_of(client);
  if (session == NULL || !client->may_end) return;
  cuts++;
  spread = spread * 1664525u + 1013904223u;
  session->retry_at = now_ns() + RETRY_MIN_NS + spread % RETRY_SPREAD_NS;
}

static void open_one(Client *client) {
  Session *session = session_of(client);
  client->may_end = session != NULL;
  if (session != NULL) session->retry_at = 0;
  client_open(client);
}

static void retry_cut_ones(uint64_t now) {
  for (uint32_t i = 0; i < all - talkers; i++) {
    if (sessions[i].retry_at != 0 && sessions[i].retry_at <= now) open_one(&clients[talkers + i]);
  }
}

/* Opens these, so many at once, until all are ready. Clients that talk do so meanwhile. */
static void connect_some(uint32_t from, uint32_t to, uint32_t at_once, void (*meanwhile)(void)) {
  uint64_t until = now_ns() + CONNECT_NS;
  ready_count = 0;
  for (uint32_t begun = from; ready_count < to - from;) {
    for (; begun < to && begun - from - ready_count < at_once; begun++) open_one(&clients[begun]);
    retry_cut_ones(now_ns());
    if (meanwhile != NULL) meanwhile();
    loop_turn(meanwhile == NULL ? 100 : 1);
    if (problem_count() > 0) give_up("a client did not get in");
    if (now_ns() > until) give_up("only %u of %u clients got in", ready_count, to - from);
  }
}

static void talk(void) {
  static uint64_t begin, said;
  if (begin == 0) begin = now_ns();
  for (uint64_t due; (due = begin + (uint64_t)((double)said * 1e9 / options.rate)) <= now_ns(); said++) {
    messages_say(&clients[said % talkers], due);
    client_flush(&clients[said % talkers]);
  }
}

static void wait_until_quiet(void) {
  for (uint64_t since = now_ns(), reads = loop_reads; now_ns() - since < QUIET_NS; loop_turn(50)) {
    if (loop_reads != reads) since = now_ns();
    reads = loop_reads;
  }
}

static uint64_t missing(void) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < all; i++) {
    for (uint32_t lane = 0; lane < talkers; lane++) count += clients[lane].sent - messages_seen(i, lane);
  }
  return count;
}

static void open_sessions(void) {
  talkers = options.senders;
  all = talkers + options.clients;
  clients = calloc(all, sizeof *clients);
  sessions = calloc(options.clients, sizeof *sessions);
  if (clients == NULL || sessions == NULL) give_up("no memory");
  loop_start();
  loop.read = websocket_read;
  loop.opened = websocket_request;
  loop.ended = note_cut;
  hooks = (Hooks){ .ready = note_ready, .message = count_message, .greet = greet, .other = receive_other };
  messages_start(all, talkers);
  for (uint32_t i = 0; i < all; i++) {
    Client *client = &clients[i];
    client->number = i;
    client->lane = i < talkers ? i : NO_LANE;
    client->is_late = i >= talkers;
    client->subprotocol = i >= talkers ? "c2.live" : NULL;
    snprintf(client->name, sizeof client->name, "u%05u", i);
    if (i < talkers) messages_name(i, client->name);
  }
  connect_some(talkers, all, CONNECTING_AT_ONCE, NULL);
  wait_until_quiet();
}

/* The server is restarted meanwhile. */
static void await_server(void) {
  char line[32];
  printf("{\"connected\":%u}\n", options.clients);
  fflush(stdout);
  if (fgets(line, sizeof line, stdin) == NULL) give_up("no server was started");
  options.server_pid = atoi(line);
  for (uint32_t i = 0; i < all; i++) client_drop(&clients[i]);
}

void run_storm(void) {
  alarm(STORM_SECONDS_MAX);
  open_sessions();
  await_server();
  connect_some(0, talkers, talkers, NULL);
  uint64_t received = frames;
  cuts = 0;
  Cpu before = cpu_now();
  storm_at = now_ns();
  connect_some(talkers, all, options.at_once == 0 ? all : options.at_once, talk);
  double seconds = (double)(now_ns() - storm_at) / 1e9;
  Cpu after = cpu_now();
  for (uint64_t until = now_ns() + DRAIN_NS; missing() > 0 && problem_count() == 0 && now_ns() < until;) loop_turn(50);
  if (missing() > 0) problem("%llu deliveries never came", (unsigned long long)missing());
  wait_until_quiet();
  printf("{\"sessions\":%u,\"seconds\":%.3f,\"resume_p50_ms\":%.1f,\"resume_p99_ms\":%.1f,\"p50_ms\":%.1f,"
         "\"p99_ms\":%.1f,\"max_ms\":%.1f,\"deliveries\":%llu,\"notices\":%llu,\"cuts\":%llu,\"server_cpu_s\":%.2f,"
         "\"generator_cpu_s\":%.2f,\"rss_kib\":%ld,\"problem\":%s}\n",
         options.clients, seconds, histogram_quantile(&resumes, 0.5) / 1e3, histogram_quantile(&resumes, 0.99) / 1e3,
         histogram_quantile(&latency, 0.5) / 1e3, histogram_quantile(&latency, 0.99) / 1e3,
         (double)latency.greatest / 1e6, (unsigned long long)deliveries,
         (unsigned long long)(frames - received), (unsigned long long)cuts,
         after.server - before.server, after.own - before.own, server_rss_kib(), problem_json());
}
