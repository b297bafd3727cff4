/*
 * The client's side of RFC 6455 as far as servers of the bench speak it: handshake, masked texts, whole frames.
 *
 * Fragments and binary frames are a problem, since no server here sends them.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

/* The key of the RFC's own example, so that the right answer is known without SHA-1. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define FRAME_BYTES_MAX 4096

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

void websocket_request(Client *client) {
  char request[512];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                        options.path, client_port(client), client->subprotocol == NULL ? "" : "Sec-WebSocket-Protocol: ",
                        client->subprotocol == NULL ? "" : client->subprotocol,
                        client->subprotocol == NULL ? "" : "\r\n");
  client_write(client, request, (size_t)length);
}

static size_t read_response(Client *client, uint8_t *data, size_t length) {
  uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  size_t head = (size_t)(end - data) + 4;
  if (memcmp(data, "HTTP/1.1 101", 12) != 0 || memmem(data, head, ACCEPT, strlen(ACCEPT)) == NULL) {
    give_up("no WebSocket: %.*s", (int)(head < 200 ? head : 200), data);
  }
  client->state = GREETING;
  messages_greet(client);
  return head;
}

static uint32_t next_mask(void) {
  static uint32_t mask = 0x9e3779b9;
  mask ^= mask << 13;
  mask ^= mask >> 17;
  mask ^= mask << 5;
  return mask;
}

static void write_frame(Client *client, int opcode, const uint8_t *payload, size_t length) {
  uint8_t frame[FRAME_BYTES_MAX + 8];
  if (length > FRAME_BYTES_MAX) give_up("a text of %zu bytes is too long to send", length);
  size_t at = 0;
  frame[at++] = (uint8_t)(0x80 | opcode);
  if (length < 126) {
    frame[at++] = (uint8_t)(0x80 | length);
  } else {
    frame[at++] = 0x80 | 126;
    frame[at++] = (uint8_t)(length >> 8);
    frame[at++] = (uint8_t)length;
  }
  uint32_t mask = next_mask();
  memcpy(frame + at, &mask, 4);
  const uint8_t *key = frame + at;
  at += 4;
  for (size_t i = 0; i < length; i++) frame[at + i] = payload[i] ^ key[i & 3];
  client_write(client, frame, at + length);
}

void websocket_text(Client *client, const char *text, size_t length) {
  write_frame(client, TEXT, (const uint8_t *)text, length);
}

static void receive_frame(Client *client, uint8_t first, const uint8_t *payload, size_t length, uint64_t now) {
  if (first == (0x80 | TEXT)) {
    messages_receive(client, (const char *)payload, length, now);
  } else if (first == (0x80 | PING)) {
    write_frame(client, PONG, payload, length);
  } else if (first == (0x80 | CLOSE)) {
    /* A close is answered by one, and then the server ends the stream. */
    write_frame(client, CLOSE, payload, length);
    if (client->may_end) return;
    problem("client %u got a close: %d %.*s", client->number,
            length >= 2 ? payload[0] << 8 | payload[1] : 0, (int)(length > 2 ? length - 2 : 0), payload + 2);
    client->may_end = true;
  } else if (first != (0x80 | PONG)) {
    problem("client %u got a frame that begins with the byte %02x", client->number, first);
  }
}

size_t websocket_read(Client *client, uint8_t *data, size_t length, uint64_t now) {
  size_t at = 0;
  if (client->state == UPGRADING) {
    at = read_response(client, data, length);
    if (at == 0) return 0;
  }
  while (client->state != CLOSED && length - at >= 2) {
    const uint8_t *frame = data + at;
    size_t available = length - at, head = 2, payload = frame[1];
    if (payload == 126) {
      head = 4;
      if (available < head) break;
      payload = (size_t)frame[2] << 8 | frame[3];
    } else if (payload > 126) {
      give_up("client %u got a frame of 64 KiB or more, or a masked one", client->number);
    }
    if (available < head + payload) break;
    receive_frame(client, frame[0], frame + head, payload, now);
    at += head + payload;
  }
  return at;
}
