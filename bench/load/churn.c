/*
 * Clients that join, write and leave, beside clients that stay and write: for a given time, for `deno task soak`.
 *
 * Each visitor uses one of a fixed number of places. Each place has its own lane in the check of loss and order, with
 * one numbering for all its visitors. Stayers receive all messages; a visitor must receive all from its first one on.
 * Prints a line of JSON every `--every` seconds, and one at the end.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

#define COMINGS_PER_SECOND 10
/* Arrivals of 6.4 s, which is longer than a visit, so that a place is free when it is needed again. */
#define PLACES 64
#define STAY_MIN_NS 500000000u
#define STAY_MAX_NS 5000000000u
#define AT_ONCE 16
#define REST_NS 10000000000u

/* What becomes of one who came. */
typedef struct visit {
  uint64_t leaves_at;
  bool has_spoken;
} Visit;

static Client *clients; /* first those who stay, then the places */
static Visit visits[PLACES];
static uint64_t comings, leavings, drops;
static uint32_t stayers, ready_stayers;

static uint64_t random_below(uint64_t bound) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % bound;
}

static void greet_place(Client *client) {
  if (client->number < stayers) ready_stayers++;
  else {
    messages_say(client, now_ns());
    visits[client->number - stayers].has_spoken = true;
  }
}

static void come(uint64_t now) {
  uint32_t place = (uint32_t)(comings % PLACES);
  Client *client = &clients[stayers + place];
  if (client->state != CLOSED) {
    problem("visitor %u is still there when the place is needed", place);
    client_drop(client);
  }
  snprintf(client->name, sizeof client->name, "v%09llu", (unsigned long long)comings);
  messages_name(client->lane, client->name);
  messages_forget(client->number);
  client->may_end = false;
  client->acknowledged = 0;
  visits[place] = (Visit){ .leaves_at = now + STAY_MIN_NS + random_below(STAY_MAX_NS - STAY_MIN_NS) };
  comings++;
  client_open(client);
}

/* Every other one says goodbye, the others are gone without. */
static void send_away(uint64_t now) {
  for (uint32_t place = 0; place < PLACES; place++) {
    Client *client = &clients[stayers + place];
    Visit *visit = &visits[place];
    if (client->state == CLOSED || client->may_end || now < visit->leaves_at) continue;
    if (!visit->has_spoken || client->acknowledged == 0) {
      if (now < visit->leaves_at + STAY_MIN_NS) continue;
      problem("visitor %u was not let in or not acknowledged in time", place);
    }
    if (place % 2 == 0) {
      leavings++;
      messages_leave(client);
      client_flush(client);
    } else {
      drops++;
      client_drop(client);
    }
  }
}

static uint64_t sent_on(uint32_t lane) { return clients[lane].sent; }

static uint64_t missing(void) {
  uint64_t count = 0;
  for (uint32_t lane = 0; lane < stayers + PLACES; lane++) {
    for (uint32_t i = 0; i < stayers; i++) count += sent_on(lane) - messages_seen(i, lane);
  }
  return count;
}

/* Departure notices that the stayers have not received yet. */
static uint64_t missing_departures(void) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < stayers; i++) count += comings - clients[i].departures;
  return count;
}

static void report(uint64_t begin, const char *what) {
  printf("{\"%s\":true,\"seconds\":%.1f,\"rss_kib\":%ld,\"comings\":%llu,\"leavings\":%llu,\"drops\":%llu,"
         "\"deliveries\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
         "\"problem\":%s}\n",
         what, (double)(now_ns() - begin) / 1e9, server_rss_kib(), (unsigned long long)comings,
         (unsigned long long)leavings, (unsigned long long)drops, (unsigned long long)deliveries, histogram_quantile(&latency, 0.5), histogram_quantile(&latency, 0.99),
         (double)latency.greatest / 1000.0, problem_json());
  fflush(stdout);
}

static void open_churn(void) {
  stayers = options.clients;
  clients = calloc(stayers + PLACES, sizeof *clients);
  if (clients == NULL) give_up("no memory");
  loop_start();
  loop.read = websocket_read;
  loop.opened = websocket_request;
  hooks.ready = greet_place;
  messages_start(stayers + PLACES, stayers + PLACES);
  for (uint32_t i = 0; i < stayers + PLACES; i++) {
    clients[i].number = clients[i].lane = i;
    if (i >= stayers) continue;
    snprintf(clients[i].name, sizeof clients[i].name, "u%05u", i);
    messages_name(i, clients[i].name);
  }
  for (uint32_t begun = 0; ready_stayers < stayers; loop_turn(100)) {
    for (; begun < stayers && begun - ready_stayers < AT_ONCE; begun++) client_open(&clients[begun]);
    if (problem_count() > 0) give_up("a client did not get in");
  }
}

/* The remaining visitors leave, and the stayers must have received everything. */
static void close_churn(void) {
  uint64_t until = now_ns() + REST_NS;
  while (now_ns() < until) {
    bool is_anybody_there = false;
    for (uint32_t place = 0; place < PLACES; place++) is_anybody_there |= clients[stayers + place].state != CLOSED;
    if (!is_anybody_there && missing() == 0 && missing_departures() == 0) break;
    send_away(now_ns());
    loop_turn(50);
  }
  if (missing() > 0) problem("%llu deliveries never came", (unsigned long long)missing());
  if (missing_departures() != 0) problem("not every stayer received every departure once");
}

void run_churn(void) {
  open_churn();
  uint64_t begin = now_ns(), until = begin + (uint64_t)(options.seconds * 1e9);
  uint64_t next_coming = begin, next_message = begin, next_report = begin + (uint64_t)(options.every * 1e9);
  for (uint64_t now = begin, said = 0; now < until; now = now_ns()) {
    if (now >= next_coming) {
      come(now);
      next_coming += 1000000000u / COMINGS_PER_SECOND;
    }
    if (now >= next_message) {
      Client *sender = &clients[said++ % stayers];
      messages_say(sender, next_message);
      client_flush(sender);
      next_message = begin + (uint64_t)((double)said * 1e9 / options.rate);
    }
    if (now >= next_report) {
      report(begin, "progress");
      next_report += (uint64_t)(options.every * 1e9);
    }
    send_away(now);
    loop_turn(5);
  }
  close_churn();
  report(begin, "end");
}
