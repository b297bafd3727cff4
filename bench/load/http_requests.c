/*
 * HTTP over connections that are kept, each with one request under way: for what the listing is asked.
 *
 * Either GETs of one path: `--conditional` names the ETag of the answer before in each, so that the answer is 304
 * where nothing changed, and `--gzip` asks for that. Or the requests of a file, each ended by a zero byte, taken in
 * turn by all connections, over and over or `--once`. Bodies are counted and thrown away. Any status but 200, 201 and
 * 304 ends the run.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES_MAX (16u * 1024)

typedef enum part { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER } Part;

typedef struct answer {
  Part part;
  uint64_t left; /* bytes of the body or of the chunk */
  uint64_t bytes; /* of the body so far */
  uint64_t asked_at;
  char etag[128];
} Answer;

static uint64_t answers, unchanged, body_bytes;
static bool is_asking;
static uint32_t under_way;
/* The file of requests, and where the next one begins. */
static char *requests;
static size_t requests_bytes, next_request;

static void read_requests(void) {
  FILE *file = fopen(options.requests, "rb");
  if (file == NULL) give_up("there is no %s", options.requests);
  fseek(file, 0, SEEK_END);
  requests_bytes = (size_t)ftell(file);
  rewind(file);
  requests = malloc(requests_bytes + 1);
  if (requests == NULL) give_up("no memory");
  if (fread(requests, 1, requests_bytes, file) != requests_bytes) give_up("%s cannot be read", options.requests);
  fclose(file);
  requests[requests_bytes] = 0;
  if (requests_bytes == 0) give_up("%s has no requests", options.requests);
}

/* The next request of the file; NULL where all were sent once and that is all that is wanted. */
static const char *take_request(void) {
  if (next_request >= requests_bytes) {
    if (options.is_once) return NULL;
    next_request = 0;
  }
  const char *request = requests + next_request;
  next_request += strlen(request) + 1;
  return request;
}

static void send_request(Client *client, const char *request, size_t length) {
  Answer *answer = client->more;
  client->state = READY;
  answer->asked_at = now_ns();
  under_way++;
  client_write(client, request, length);
}

static void ask(Client *client) {
  Answer *answer = client->more;
  char request[512], condition[160] = "";
  if (requests != NULL) {
    const char *next = take_request();
    if (next == NULL) is_asking = false;
    else send_request(client, next, strlen(next));
    return;
  }
  if (options.is_conditional && answer->etag[0] != 0) {
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", answer->etag);
  }
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", options.path,
                        client_port(client), options.wants_gzip ? "Accept-Encoding: gzip\r\n" : "", condition);
  send_request(client, request, (size_t)length);
}

static void finish(Client *client, uint64_t now) {
  Answer *answer = client->more;
  answers++;
  under_way--;
  body_bytes += answer->bytes;
  answer->bytes = 0;
  histogram_add(&latency, now - answer->asked_at);
  answer->part = HEAD;
  if (is_asking) ask(client);
}

/* The value of a header, or NULL. `head` ends in a zero byte and is in lower case but for values. */
static const char *header(const char *head, const char *name) {
  const char *line = strcasestr(head, name);
  return line == NULL ? NULL : line + strlen(name);
}

static size_t read_head(Client *client, const uint8_t *data, size_t length, uint64_t now) {
  Answer *answer = client->more;
  const uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
  char head[HEAD_BYTES_MAX + 1];
  if (end == NULL) return 0;
  size_t size = (size_t)(end - data) + 4;
  if (size > HEAD_BYTES_MAX) give_up("a head of %zu bytes", size);
  memcpy(head, data, size);
  head[size] = 0;
  int status = atoi(head + 9);
  if (status != 200 && status != 201 && status != 304) give_up("answered %.*s", 200, head);
  const char *etag = header(head, "\r\netag: "), *bytes = header(head, "\r\ncontent-length: ");
  if (etag != NULL) {
    size_t etag_length = strcspn(etag, "\r");
    if (etag_length < sizeof answer->etag) {
      memcpy(answer->etag, etag, etag_length);
      answer->etag[etag_length] = 0;
    }
  }
  if (status == 304) {
    unchanged++;
    finish(client, now);
  } else if (bytes != NULL) {
    answer->left = strtoull(bytes, NULL, 10);
    answer->part = BODY;
    if (answer->left == 0) finish(client, now);
  } else if (header(head, "\r\ntransfer-encoding: chunked") != NULL) {
    answer->part = CHUNK_SIZE;
  } else {
    give_up("an answer without a length");
  }
  return size;
}

static size_t read_body(Client *client, size_t length, uint64_t now) {
  Answer *answer = client->more;
  size_t taken = length < answer->left ? length : (size_t)answer->left;
  answer->left -= taken;
  answer->bytes += taken;
  if (answer->left > 0) return taken;
  if (answer->part == CHUNK) answer->part = CHUNK_END;
  else finish(client, now);
  return taken;
}

/* A line of the framing between chunks. */
static size_t read_line(Client *client, const uint8_t *data, size_t length, uint64_t now) {
  Answer *answer = client->more;
  const uint8_t *end = memmem(data, length, "\r\n", 2);
  if (end == NULL) return 0;
  size_t used = (size_t)(end - data) + 2;
  if (answer->part == CHUNK_END) {
    answer->part = CHUNK_SIZE;
  } else if (answer->part == TRAILER) {
    if (used == 2) finish(client, now);
  } else {
    answer->left = strtoull((const char *)data, NULL, 16);
    answer->part = answer->left > 0 ? CHUNK : TRAILER;
  }
  return used;
}

static size_t read_answers(Client *client, uint8_t *data, size_t length, uint64_t now) {
  Answer *answer = client->more;
  size_t at = 0, used = 1;
  while (client->state != CLOSED && at < length && used > 0) {
    if (answer->part == HEAD) used = read_head(client, data + at, length - at, now);
    else if (answer->part == BODY || answer->part == CHUNK) used = read_body(client, length - at, now);
    else used = read_line(client, data + at, length - at, now);
    at += used;
  }
  return at;
}

void run_http(void) {
  Client *clients = calloc(options.clients, sizeof *clients);
  Answer *state = calloc(options.clients, sizeof *state);
  if (clients == NULL || state == NULL) give_up("no memory");
  if (options.requests != NULL) read_requests();
  loop_start();
  loop.read = read_answers;
  loop.opened = ask;
  is_asking = true;
  for (uint32_t i = 0; i < options.clients; i++) {
    clients[i].number = i;
    clients[i].more = &state[i];
    client_open(&clients[i]);
  }
  uint64_t until = now_ns() + (uint64_t)(options.warmup * 1e9);
  while (now_ns() < until) loop_turn(10);
  Cpu from = cpu_now();
  uint64_t begin = now_ns(), answers_before = answers, unchanged_before = unchanged, bytes_before = body_bytes;
  uint64_t busy_before = loop_busy_ns;
  latency = (Histogram){ 0 };
  until = begin + (uint64_t)(options.seconds * 1e9);
  while (is_asking && now_ns() < until) loop_turn(10);
  Cpu to = cpu_now();
  double busy = (double)(loop_busy_ns - busy_before) / 1e7;
  double seconds = (double)(now_ns() - begin) / 1e9, count = (double)(answers - answers_before);
  double server = to.server - from.server, own = to.own - from.own, others = to.all - from.all - server - own;
  double changed = count - (double)(unchanged - unchanged_before);
  /* Taken here: what is still under way comes in below, and is not of the measured time. */
  double bytes = (double)(body_bytes - bytes_before);
  if (count == 0) problem("nothing was answered");
  is_asking = false;
  for (until = now_ns() + 5000000000u; under_way > 0 && now_ns() < until;) loop_turn(50);
  if (under_way > 0) problem("%u requests were not answered", under_way);
  printf("{\"clients\":%u,\"seconds\":%.3f,\"answers_per_s\":%.1f,\"share_304\":%.4f,\"bytes_of_a_body\":%.0f,"
         "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"server_cpu_percent\":%.1f,"
         "\"generator_cpu_percent\":%.1f,\"generator_busy_percent\":%.1f,\"other_cpu_percent\":%.1f,\"server_cpu_s_per_thousand\":%.4f,"
         "\"rss_kib\":%ld,\"problem\":%s}\n",
         options.clients, seconds, count / seconds, count > 0 ? 1 - changed / count : 0,
         changed > 0 ? bytes / changed : 0, histogram_quantile(&latency, 0.5),
         histogram_quantile(&latency, 0.99), (double)latency.greatest / 1000.0, server / seconds * 100,
         own / seconds * 100, busy / seconds, others > 0 ? others / seconds * 100 : 0, count > 0 ? server / (count / 1e3) : 0,
         server_rss_kib(), problem_json());
}
