/*
 * Writes messages in both dialects, and checks received ones: sender, number, and time at which it was due.
 *
 * c2 is Chatter's own protocol, PROTOCOL.md §2 to §6, which the plain peers speak as far as it is needed here.
 * socketio is Engine.IO 4 over WebSocket with an event "msg" that is acknowledged. A text is
 *
 *     sender (8 digits) number (8 digits) time in ns (16 digits) padding
 *
 * with the digits a to p for 0 to 15, which no dialect escapes and eight of which are read in a few instructions.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAMP_CHARACTERS 32
#define TEXT_BYTES_MAX 4000
/* Each so many-th delivery is compared in full, character by character; all by sender and number. */
#define FULL_CHECK_EVERY 64
/* What everyone gives as the time of sending; only that it is passed on unchanged matters. */
#define TIMESTAMP "1764072000000"
#define UUID_CHARACTERS 36
#define UNKNOWN UINT32_MAX

Hooks hooks;
Histogram latency;
uint64_t deliveries, checked_in_full;

static uint32_t lane_count;
static uint32_t *next_numbers;
static char (*lane_names)[16];
static bool is_socketio;

void messages_start(uint32_t receivers, uint32_t lanes) {
  if (options.text_bytes < STAMP_CHARACTERS || options.text_bytes > TEXT_BYTES_MAX) {
    give_up("--text-bytes takes %d to %d", STAMP_CHARACTERS, TEXT_BYTES_MAX);
  }
  is_socketio = strcmp(options.dialect, "socketio") == 0;
  lane_count = lanes;
  next_numbers = calloc((size_t)receivers * lanes, sizeof *next_numbers);
  lane_names = calloc(lanes, sizeof *lane_names);
  if (next_numbers == NULL || lane_names == NULL) give_up("no memory");
}

void messages_forget(uint32_t receiver) {
  for (uint32_t lane = 0; lane < lane_count; lane++) {
    next_numbers[(size_t)receiver * lane_count + lane] = UNKNOWN;
  }
}

uint32_t messages_seen(uint32_t receiver, uint32_t lane) {
  return next_numbers[(size_t)receiver * lane_count + lane];
}

void messages_name(uint32_t lane, const char *name) {
  snprintf(lane_names[lane], sizeof *lane_names, "%s", name);
}

static void write_digits(char *to, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; i--, value >>= 4) to[i] = (char)('a' + (value & 15));
}

/* Eight digits as a number, all at once: pairs to bytes, bytes to 16 bits, those to 32. */
static bool read_digits(const char *from, uint32_t *value) {
  uint64_t digits;
  memcpy(&digits, from, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
  digits = __builtin_bswap64(digits);
#endif
  digits -= 0x6161616161616161u;
  if ((digits & 0xf0f0f0f0f0f0f0f0u) != 0) return false;
  digits = (digits << 4 | digits >> 8) & 0x00ff00ff00ff00ffu;
  digits = (digits << 8 | digits >> 16) & 0x0000ffff0000ffffu;
  *value = (uint32_t)(digits << 16 | digits >> 32);
  return true;
}

static size_t write_text(char *to, uint32_t lane, uint32_t number, uint64_t stamp_ns) {
  write_digits(to, lane, 8);
  write_digits(to + 8, number, 8);
  write_digits(to + 16, stamp_ns, 16);
  memset(to + STAMP_CHARACTERS, '.', options.text_bytes - STAMP_CHARACTERS);
  return options.text_bytes;
}

void messages_greet(Client *client) {
  char text[64];
  if (hooks.greet != NULL) {
    hooks.greet(client);
    return;
  }
  /* A Socket.IO client waits for the other side's first word. */
  if (is_socketio) return;
  int length = snprintf(text, sizeof text, "c2/CONNECT %s", client->name);
  websocket_text(client, text, (size_t)length);
}

void messages_say(Client *client, uint64_t stamp_ns) {
  char frame[TEXT_BYTES_MAX + 96];
  int head = is_socketio
    ? snprintf(frame, sizeof frame, "42%u[\"msg\",\"" TIMESTAMP "\",\"", client->sent)
    : snprintf(frame, sizeof frame, "c2/MSG " TIMESTAMP "; ");
  size_t length = (size_t)head + write_text(frame + head, client->lane, client->sent, stamp_ns);
  if (is_socketio) {
    memcpy(frame + length, "\"]", 2);
    length += 2;
  }
  client->sent++;
  websocket_text(client, frame, length);
}

void messages_leave(Client *client) {
  client->may_end = true;
  websocket_text(client, "c2/DISCONNECT", 13);
}

/* Compares a whole message with what its sender has to have made the server say. */
static bool is_as_expected(const char *message, size_t length, const char *text, uint32_t lane) {
  char head[96];
  const char *between = is_socketio ? "\",\"" : "; ";
  int head_length = snprintf(head, sizeof head, "%s%s%s" TIMESTAMP "%s", is_socketio ? "42[\"msg\",\"" : "c2/MSG ",
                             lane_names[lane], between, between);
  size_t between_length = strlen(between);
  size_t expected = (size_t)head_length + UUID_CHARACTERS + between_length + options.text_bytes +
                    (is_socketio ? 2 : 0);
  if (length != expected || memcmp(message, head, (size_t)head_length) != 0) return false;
  const char *uuid = message + head_length;
  for (int i = 0; i < UUID_CHARACTERS; i++) {
    bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_hyphen ? uuid[i] != '-' : strchr("0123456789abcdef", uuid[i]) == NULL) return false;
  }
  if (memcmp(uuid + UUID_CHARACTERS, between, between_length) != 0) return false;
  for (uint32_t i = STAMP_CHARACTERS; i < options.text_bytes; i++) {
    if (text[i] != '.') return false;
  }
  return true;
}

static void receive_message(Client *client, const char *message, size_t length, uint64_t now) {
  size_t behind = is_socketio ? 2 : 0;
  const char *text = message + length - options.text_bytes - behind;
  uint32_t lane, number, high, low;
  if (length < options.text_bytes + behind || !read_digits(text, &lane) || !read_digits(text + 8, &number) ||
      !read_digits(text + 16, &high) || !read_digits(text + 24, &low) || lane >= lane_count) {
    problem("client %u cannot read %.*s", client->number, (int)(length < 200 ? length : 200), message);
    return;
  }
  uint32_t *next = &next_numbers[(size_t)client->number * lane_count + lane];
  if (number != *next && *next != UNKNOWN) {
    problem("client %u got message %u of sender %u and not %u: %s", client->number, number, lane, *next,
            number > *next ? "lost or out of order" : "twice or out of order");
  }
  *next = number + 1;
  uint64_t stamp = (uint64_t)high << 32 | low;
  if (!client->is_late) histogram_add(&latency, now > stamp ? now - stamp : 0);
  if (deliveries++ % FULL_CHECK_EVERY == 0) {
    checked_in_full++;
    if (!is_as_expected(message, length, text, lane)) {
      problem("client %u got a message that was changed: %.*s", client->number,
              (int)(length < 200 ? length : 200), message);
    }
  }
  if (hooks.message != NULL) hooks.message(client, lane, now);
}

static void receive_acknowledgement(Client *client) {
  if (client->state == GREETING) {
    client->state = READY;
    hooks.ready(client);
    return;
  }
  client->acknowledged++;
  if (hooks.acknowledged != NULL) hooks.acknowledged(client);
}

static bool begins(const char *text, size_t length, const char *with, size_t with_length) {
  return length >= with_length && memcmp(text, with, with_length) == 0;
}
#define BEGINS(with) begins(text, length, with, sizeof with - 1)

static void receive_c2(Client *client, const char *text, size_t length, uint64_t now) {
  if (BEGINS("c2/MSG ")) receive_message(client, text, length, now);
  else if (BEGINS("c2/ACKNOWLEDGE")) receive_acknowledgement(client);
  else if (BEGINS("c2/DISCONNECT ")) client->departures++;
  else if (hooks.other == NULL || !hooks.other(client, text, length)) {
    problem("client %u received %.*s", client->number, (int)(length < 200 ? length : 200), text);
  }
}

static void receive_socketio(Client *client, const char *text, size_t length, uint64_t now) {
  char open[64];
  if (BEGINS("42")) {
    receive_message(client, text, length, now);
  } else if (BEGINS("43") || BEGINS("40")) {
    receive_acknowledgement(client);
  } else if (BEGINS("2")) {
    websocket_text(client, "3", 1);
  } else if (BEGINS("0")) {
    int opening = snprintf(open, sizeof open, "40{\"name\":\"%s\"}", client->name);
    websocket_text(client, open, (size_t)opening);
  } else {
    problem("client %u received %.*s", client->number, (int)(length < 200 ? length : 200), text);
  }
}

void messages_receive(Client *client, const char *text, size_t length, uint64_t now) {
  if (is_socketio) receive_socketio(client, text, length, now);
  else receive_c2(client, text, length, now);
}
