/*
 * Sockets and epoll: connects, reads into one buffer for all, writes what a socket takes.
 *
 * It knows no WebSocket and no HTTP; those are readers of websocket.c and http_requests.c.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* What is read at once. It fits a second-level cache: what was read is looked at while it is there. */
#define READ_BYTES (256u * 1024)
/* A frame that is not whole after this is nothing that a server of ours sends. */
#define LEFT_OVER_BYTES_MAX (64u * 1024)
#define EVENTS_PER_TURN 512
/* 127.0.0.1 to 127.0.0.8: some 28,000 ports each. */
#define SOURCE_ADDRESSES 8

Loop loop;
uint64_t loop_reads, loop_busy_ns;

static int epoll_fd, timer_fd;
static uint8_t buffer[READ_BYTES + LEFT_OVER_BYTES_MAX];

static void watch(Client *client, int operation, uint32_t events) {
  struct epoll_event event = { .events = events, .data.ptr = client };
  if (epoll_ctl(epoll_fd, operation, client->fd, &event) != 0) give_up("epoll_ctl: %s", strerror(errno));
}

void loop_start(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll_fd < 0 || timer_fd < 0) give_up("no epoll or no timer: %s", strerror(errno));
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event) != 0) give_up("no timer: %s", strerror(errno));
}

int client_port(const Client *client) {
  uint64_t count = options.port_count;
  return options.ports[client->number * count / options.clients % count];
}

void client_open(Client *client) {
  int on = 1;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client->fd < 0) give_up("socket %u: %s (ulimit -n?)", client->number, strerror(errno));
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* The port is chosen at connect, where it has to differ from others to the same server only. */
  setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  /* A reset at the end: else each of our ports would wait for a minute, and 10,000 a round use them up. */
  struct linger reset = { .l_onoff = 1, .l_linger = 0 };
  setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  struct sockaddr_in source = { .sin_family = AF_INET };
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + client->number % SOURCE_ADDRESSES);
  if (bind(client->fd, (struct sockaddr *)&source, sizeof source) != 0) give_up("bind: %s", strerror(errno));
  struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons((uint16_t)client_port(client)) };
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS) {
    give_up("connect: %s", strerror(errno));
  }
  client->state = OPENING;
  client->waits_to_write = true;
  watch(client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void client_drop(Client *client) {
  if (client->state == CLOSED) return;
  close(client->fd);
  client->state = CLOSED;
  client->in.length = client->out.length = client->out_from = 0;
}

static void ended(Client *client, const char *why) {
  if (!client->may_end) problem("client %u was closed: %s", client->number, why);
  client_drop(client);
  if (loop.ended != NULL) loop.ended(client);
}

static void reserve(Bytes *bytes, size_t capacity) {
  if (bytes->capacity >= capacity) return;
  bytes->capacity = capacity < 512 ? 512 : capacity * 2;
  bytes->data = realloc(bytes->data, bytes->capacity);
  if (bytes->data == NULL) give_up("no memory");
}

void client_write(Client *client, const void *data, size_t length) {
  reserve(&client->out, client->out.length + length);
  memcpy(client->out.data + client->out.length, data, length);
  client->out.length += length;
}

void client_flush(Client *client) {
  if (client->state == CLOSED || client->state == OPENING) return;
  size_t length = client->out.length - client->out_from;
  if (length > 0) {
    ssize_t taken = send(client->fd, client->out.data + client->out_from, length, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) {
      ended(client, strerror(errno));
      return;
    }
    if (taken > 0) client->out_from += (size_t)taken;
    if (client->out_from == client->out.length) client->out_from = client->out.length = 0;
  }
  bool waits = client->out.length > 0;
  if (waits == client->waits_to_write) return;
  client->waits_to_write = waits;
  watch(client, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void finish_connect(Client *client) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    ended(client, strerror(error));
    return;
  }
  client->state = UPGRADING;
  loop.opened(client);
  client_flush(client);
}

static void read_some(Client *client) {
  size_t kept = client->in.length;
  if (kept > 0) memcpy(buffer, client->in.data, kept);
  ssize_t length = recv(client->fd, buffer + kept, READ_BYTES, 0);
  if (length <= 0) {
    if (length < 0 && errno == EAGAIN) return;
    ended(client, length == 0 ? "end of the stream" : strerror(errno));
    return;
  }
  loop_reads++;
  size_t whole = kept + (size_t)length;
  size_t used = loop.read(client, buffer, whole, now_ns());
  if (client->state == CLOSED) return;
  size_t rest = whole - used;
  if (rest > LEFT_OVER_BYTES_MAX) give_up("client %u: a frame of more than 64 KiB", client->number);
  client->in.length = rest;
  if (rest > 0) {
    reserve(&client->in, rest);
    memcpy(client->in.data, buffer + used, rest);
  }
  client_flush(client);
}

static int await_events(struct epoll_event *events, int wait_ms) {
  if (!options.is_spinning) return epoll_wait(epoll_fd, events, EVENTS_PER_TURN, wait_ms);
  uint64_t until = now_ns() + (uint64_t)wait_ms * 1000000u;
  int count;
  do count = epoll_wait(epoll_fd, events, EVENTS_PER_TURN, 0);
  while (count == 0 && now_ns() < until);
  return count;
}

void loop_turn(int wait_ms) {
  struct epoll_event events[EVENTS_PER_TURN];
  int count = await_events(events, wait_ms);
  if (count <= 0) return;
  uint64_t begin = now_ns();
  for (int i = 0; i < count; i++) {
    Client *client = events[i].data.ptr;
    uint64_t expirations;
    if (client == NULL) {
      if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN) give_up("no timer");
      continue;
    }
    if (client->state == OPENING) {
      finish_connect(client);
      continue;
    }
    if (client->state != CLOSED && (events[i].events & EPOLLOUT) != 0) client_flush(client);
    if (client->state != CLOSED && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_some(client);
  }
  loop_busy_ns += now_ns() - begin;
}

void loop_turn_until(uint64_t at_ns) {
  if (at_ns <= now_ns()) {
    loop_turn(0);
    return;
  }
  struct itimerspec at = { .it_value = { .tv_sec = (time_t)(at_ns / 1000000000u),
                                         .tv_nsec = (long)(at_ns % 1000000000u) } };
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
  loop_turn(1000);
}
