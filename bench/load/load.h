/*
 * The load generator of `deno task bench`: what its files share.
 *
 * One thread, one epoll, no library but libc. It opens WebSockets, has some of them talk, and holds every
 * delivery to what was sent: each text carries the number of its sender, a number that counts that sender's
 * messages, and the time. So loss, order and doubles are seen for each receiver and each sender.
 *
 * It is not a client library: it reads what the servers of bench/servers.ts write, and calls anything else a
 * problem, which ends in exit status 1.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- options, load.c ---- */

#define PORTS_MAX 8

typedef struct options {
  const char *mode;
  const char *dialect;
  const char *path;
  int ports[PORTS_MAX]; /* of the servers of one room, each of which gets an equal part of the clients */
  uint32_t port_count;
  int server_pid;      /* 0 for none: then nothing of the server is measured */
  uint32_t clients;
  uint32_t senders;
  uint32_t outstanding; /* messages that each sender keeps under way */
  double rate;         /* messages a second, all senders together */
  double seconds;      /* measured */
  double warmup;       /* seconds before that, not measured */
  double hold;         /* seconds that idle clients are held */
  double every;        /* seconds between two lines of a churn */
  uint32_t at_once;    /* sessions of a storm that connect at once; 0 for all */
  uint32_t text_bytes; /* of each message */
  bool is_conditional; /* whether GETs name the ETag that they have seen */
  bool wants_gzip;     /* whether GETs ask for gzip */
  const char *requests; /* a file of requests instead of GETs, or NULL */
  bool is_once;        /* whether those are sent once, and not over and over */
  bool is_spinning;    /* whether it asks for work all the time instead of sleeping until there is some */
} Options;

extern Options options;

/* ---- measures.c ---- */

uint64_t now_ns(void);

/* Times in nanoseconds, with a resolution of 1.6 %. */
typedef struct histogram {
  uint64_t counts[64 * 64];
  uint64_t total;
  uint64_t greatest;
} Histogram;

void histogram_add(Histogram *histogram, uint64_t ns);
/* The value in microseconds below which this share of all lies. */
double histogram_quantile(const Histogram *histogram, double share);

/* CPU seconds so far: of the server, all threads; our own; of all processes. */
typedef struct cpu {
  double server, own, all;
} Cpu;

Cpu cpu_now(void);
long server_rss_kib(void);

/* What went wrong. The first is kept as text, all are counted; any makes the run fail. */
void problem(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t problem_count(void);
/* The first as a JSON string, or null. */
const char *problem_json(void);
/* What nothing can be measured after. Ends the process with status 2. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- socket_loop.c ---- */

typedef enum state { CLOSED, OPENING, UPGRADING, GREETING, READY } State;

typedef struct bytes {
  uint8_t *data;
  size_t length, capacity;
} Bytes;

typedef struct client {
  int fd;
  State state;
  uint32_t number;
  bool waits_to_write;
  bool may_end;         /* its end is no problem: it was asked to leave */
  Bytes in;             /* of a frame that is not whole yet */
  Bytes out;            /* not taken by the socket yet, from `out_from` on */
  size_t out_from;
  const char *subprotocol; /* that it asks for, or NULL */
  bool is_late;         /* its deliveries count in no latency: they begin with a replay */
  char name[16];
  uint32_t lane;        /* whose messages it sends, or NO_LANE */
  uint32_t sent;        /* the number of its next message */
  uint32_t returned;    /* own messages that came back */
  uint32_t acknowledged;
  uint64_t departures;  /* received departure notices, its own included */
  void *more;           /* the mode's own */
} Client;

#define NO_LANE UINT32_MAX

/* Handles received bytes, which begin with the unused ones. Returns how many were used. */
typedef size_t (*Reader)(Client *client, uint8_t *data, size_t length, uint64_t now);

typedef struct loop {
  Reader read;
  void (*opened)(Client *client);
  void (*ended)(Client *client);
} Loop;

extern Loop loop;
extern uint64_t loop_reads;
/* Nanoseconds in which there was work. Where it spins, this and not its CPU says whether it could have done more. */
extern uint64_t loop_busy_ns;

void loop_start(void);
/* The port that this client connects to. Neighbours share one. */
int client_port(const Client *client);
/* A client that begins to connect, from one of several source addresses: one has too few ports for all. */
void client_open(Client *client);
/* Without a goodbye: the server gets a reset, and no port is kept waiting. */
void client_drop(Client *client);
void client_write(Client *client, const void *data, size_t length);
void client_flush(Client *client);
/* Handles what is ready, or waits for at most so long. */
void loop_turn(int wait_ms);
/* As loop_turn, but wakes up at this time, to a few microseconds. */
void loop_turn_until(uint64_t at_ns);

/* ---- websocket.c ---- */

void websocket_request(Client *client);
size_t websocket_read(Client *client, uint8_t *data, size_t length, uint64_t now);
/* Masked, as from every client; sent by the next client_flush. */
void websocket_text(Client *client, const char *text, size_t length);

/* ---- messages.c ---- */

/* Callbacks of the modes. */
typedef struct hooks {
  void (*ready)(Client *client);
  void (*message)(Client *client, uint32_t lane, uint64_t now);
  void (*acknowledged)(Client *client);
  void (*greet)(Client *client); /* instead of a CONNECT */
  bool (*other)(Client *client, const char *text, size_t length); /* a frame that no plain client receives */
} Hooks;

extern Hooks hooks;
extern Histogram latency;
extern uint64_t deliveries;
extern uint64_t checked_in_full;

/* `receivers` times `lanes` numbers: what each has to see next of each. */
void messages_start(uint32_t receivers, uint32_t lanes);
/* What a receiver that comes in late has seen is taken from the first that it sees. */
void messages_forget(uint32_t receiver);
/* What this receiver has to see next of this lane: how many it has seen, if it was there from the beginning. */
uint32_t messages_seen(uint32_t receiver, uint32_t lane);
/* The name of who sends on a lane, against which messages are compared. */
void messages_name(uint32_t lane, const char *name);
void messages_greet(Client *client);
/* Sends the client's next message, stamped with this time. */
void messages_say(Client *client, uint64_t stamp_ns);
void messages_leave(Client *client);
void messages_receive(Client *client, const char *text, size_t length, uint64_t now);

/* ---- the modes: each prints one line of JSON ---- */

void run_closed_loop(void); /* rooms.c */
void run_paced(void);       /* rooms.c */
void run_idle(void);        /* rooms.c */
void run_churn(void);       /* churn.c */
void run_storm(void);       /* storm.c */
void run_http(void);        /* http_requests.c */

/* Opens all of them, so many at once, and waits until each is ready. Seconds. */
double connect_all(Client *clients, uint32_t count, uint32_t at_once);

#endif
