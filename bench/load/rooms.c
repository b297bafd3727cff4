/*
 * A room of clients that stay: talking in a closed loop, talking at a given pace, or saying nothing.
 *
 * Closed loop: each sender keeps a number of messages under way, and sends the next when one of its own came
 * back. Paced: messages are due at equal distances whatever the server does, and a latency counts from when its
 * message was due, so that a server which holds up the sender does not look fast for it.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

/* How long the rest of what was sent may take to come in after the measured time. */
#define DRAIN_NS 10000000000u
/* How long all clients may take to connect. */
#define CONNECT_NS 60000000000u
#define CONNECTING_AT_ONCE 64

static Client *clients;
static uint32_t ready_count;
static bool is_talking;

static void count_ready(Client *client) {
  (void)client;
  ready_count++;
}

double connect_all(Client *all, uint32_t count, uint32_t at_once) {
  uint64_t begin = now_ns();
  uint32_t begun = 0;
  ready_count = 0;
  while (ready_count < count) {
    for (; begun < count && begun - ready_count < at_once; begun++) client_open(&all[begun]);
    loop_turn(100);
    if (now_ns() - begin > CONNECT_NS) give_up("only %u of %u clients got in", ready_count, count);
    if (problem_count() > 0) give_up("a client did not get in");
  }
  return (double)(now_ns() - begin) / 1e9;
}

/* Makes the clients, spreads the senders evenly among them, and connects all. Seconds that connecting took. */
static double open_room(void) {
  if (options.senders > options.clients) give_up("more senders than clients");
  clients = calloc(options.clients, sizeof *clients);
  if (clients == NULL) give_up("no memory");
  loop_start();
  loop.read = websocket_read;
  loop.opened = websocket_request;
  hooks.ready = count_ready;
  messages_start(options.clients, options.senders > 0 ? options.senders : 1);
  for (uint32_t i = 0; i < options.clients; i++) {
    clients[i].number = i;
    clients[i].lane = NO_LANE;
    snprintf(clients[i].name, sizeof clients[i].name, "u%05u", i);
  }
  for (uint32_t lane = 0; lane < options.senders; lane++) {
    Client *sender = &clients[lane * (options.clients / options.senders)];
    sender->lane = lane;
    messages_name(lane, sender->name);
  }
  return connect_all(clients, options.clients, CONNECTING_AT_ONCE);
}

static Client *sender_of(uint32_t lane) { return &clients[lane * (options.clients / options.senders)]; }

static void say_next(Client *client, uint32_t lane, uint64_t now) {
  if (client->lane != lane) return;
  client->returned++;
  if (is_talking) messages_say(client, now);
}

/* How far along everything was at one moment; what lies between two of them is what was measured. */
typedef struct mark {
  uint64_t at, deliveries, reads, sent, busy_ns;
  Cpu cpu;
} Mark;

static uint64_t sent_in_all(void) {
  uint64_t sent = 0;
  for (uint32_t lane = 0; lane < options.senders; lane++) sent += sender_of(lane)->sent;
  return sent;
}

static Mark mark_now(void) {
  return (Mark){ .cpu = cpu_now(), .deliveries = deliveries, .reads = loop_reads, .sent = sent_in_all(),
                 .busy_ns = loop_busy_ns, .at = now_ns() };
}

/* Deliveries that are still to come. */
static uint64_t missing(void) {
  uint64_t count = 0;
  for (uint32_t lane = 0; lane < options.senders; lane++) {
    uint32_t sent = sender_of(lane)->sent;
    for (uint32_t i = 0; i < options.clients; i++) count += sent - messages_seen(i, lane);
  }
  return count;
}

static void drain(void) {
  uint64_t until = now_ns() + DRAIN_NS;
  /* Who was cut off gets nothing more: then there is nothing to wait for. */
  while (missing() > 0 && problem_count() == 0 && now_ns() < until) loop_turn(50);
  uint64_t lost = missing();
  if (lost > 0) problem("%llu deliveries never came", (unsigned long long)lost);
  for (uint32_t lane = 0; lane < options.senders; lane++) {
    Client *sender = sender_of(lane);
    while (sender->acknowledged < sender->sent && problem_count() == 0 && now_ns() < until) loop_turn(50);
    if (sender->acknowledged != sender->sent) {
      problem("sender %u sent %u and was acknowledged %u", lane, sender->sent, sender->acknowledged);
    }
  }
}

static void report(Mark from, Mark to, const Histogram *times, double connect_seconds) {
  double seconds = (double)(to.at - from.at) / 1e9;
  double count = (double)(to.deliveries - from.deliveries);
  double server = to.cpu.server - from.cpu.server, own = to.cpu.own - from.cpu.own;
  double others = to.cpu.all - from.cpu.all - server - own;
  if (count == 0) problem("nothing was delivered");
  printf("{\"clients\":%u,\"senders\":%u,\"seconds\":%.3f,\"connect_per_s\":%.0f,\"deliveries_per_s\":%.0f,"
         "\"messages_per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"frames_per_read\":%.2f,"
         "\"server_cpu_percent\":%.1f,\"generator_cpu_percent\":%.1f,\"generator_busy_percent\":%.1f,"
         "\"other_cpu_percent\":%.1f,\"server_cpu_s_per_million\":%.4f,\"rss_kib\":%ld,\"deliveries_checked\":%llu,\"checked_in_full\":%llu,"
         "\"problem\":%s}\n",
         options.clients, options.senders, seconds, options.clients / connect_seconds, count / seconds,
         (double)(to.sent - from.sent) / seconds, histogram_quantile(times, 0.5),
         histogram_quantile(times, 0.99), (double)times->greatest / 1000.0,
         to.reads > from.reads ? count / (double)(to.reads - from.reads) : 0, server / seconds * 100,
         own / seconds * 100, (double)(to.busy_ns - from.busy_ns) / 1e7 / seconds, others > 0 ? others / seconds * 100 : 0, count > 0 ? server / (count / 1e6) : 0,
         server_rss_kib(), (unsigned long long)deliveries, (unsigned long long)checked_in_full, problem_json());
}

void run_closed_loop(void) {
  double connect_seconds = open_room();
  hooks.message = say_next;
  is_talking = true;
  for (uint32_t lane = 0; lane < options.senders; lane++) {
    Client *sender = sender_of(lane);
    for (uint32_t i = 0; i < options.outstanding; i++) messages_say(sender, now_ns());
    client_flush(sender);
  }
  uint64_t until = now_ns() + (uint64_t)(options.warmup * 1e9);
  while (now_ns() < until) loop_turn(10);
  Mark from = mark_now();
  latency = (Histogram){ 0 };
  until = from.at + (uint64_t)(options.seconds * 1e9);
  while (now_ns() < until) loop_turn(10);
  Mark to = mark_now();
  Histogram measured = latency;
  is_talking = false;
  drain();
  report(from, to, &measured, connect_seconds);
}

void run_paced(void) {
  double connect_seconds = open_room();
  uint64_t begin = now_ns();
  uint64_t measure_at = begin + (uint64_t)(options.warmup * 1e9);
  uint64_t until = measure_at + (uint64_t)(options.seconds * 1e9);
  Mark from = { 0 };
  for (uint64_t i = 0;; i++) {
    uint64_t due = begin + (uint64_t)((double)i * 1e9 / options.rate);
    if (due >= until) break;
    while (now_ns() < due) loop_turn_until(due);
    if (from.at == 0 && due >= measure_at) {
      from = mark_now();
      latency = (Histogram){ 0 };
    }
    Client *sender = sender_of((uint32_t)(i % options.senders));
    messages_say(sender, due);
    client_flush(sender);
    loop_turn(0);
  }
  while (now_ns() < until) loop_turn_until(until);
  Mark to = mark_now();
  /* What is under way at the end of the measured time belongs to it: those are the slow ones. */
  drain();
  report(from, to, &latency, connect_seconds);
}

void run_idle(void) {
  long before = server_rss_kib();
  options.senders = 0;
  Cpu start = cpu_now();
  double connect_seconds = open_room();
  long connected = server_rss_kib(), most = connected;
  Cpu from = cpu_now();
  uint64_t begin = now_ns(), until = begin + (uint64_t)(options.hold * 1e9);
  while (now_ns() < until) {
    loop_turn(50);
    long rss = server_rss_kib();
    if (rss > most) most = rss;
  }
  long after = server_rss_kib();
  Cpu to = cpu_now();
  double seconds = (double)(now_ns() - begin) / 1e9;
  printf("{\"clients\":%u,\"connect_per_s\":%.0f,\"connect_seconds\":%.3f,\"rss_before_kib\":%ld,"
         "\"rss_connected_kib\":%ld,\"rss_most_kib\":%ld,\"rss_after_kib\":%ld,\"kib_per_session\":%.2f,"
         "\"idle_server_cpu_percent\":%.1f,\"server_cpu_percent\":%.1f,\"generator_cpu_percent\":%.1f,"
         "\"problem\":%s}\n",
         options.clients, options.clients / connect_seconds, connect_seconds, before, connected, most, after,
         (double)(after - before) / options.clients, (to.server - from.server) / seconds * 100,
         (from.server - start.server) / connect_seconds * 100, (from.own - start.own) / connect_seconds * 100,
         problem_json());
}
