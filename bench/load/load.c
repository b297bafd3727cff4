/*
 * The options of the load generator, and which mode they mean. Usage:
 *
 *     load closed|paced|idle|churn|storm|http --port 5000[,5001 ...] [--server-pid 4711] [--dialect c2|socketio] ...
 *
 * Prints JSON. Exit status 0: measured, and nothing was wrong; 1: something was lost, doubled, changed or out of
 * order; 2: nothing could be measured.
 */
#define _GNU_SOURCE
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a run may take beyond the times that were asked for, in seconds: after it the kernel ends the process. */
#define SPARE_SECONDS 120
#define SECONDS_MAX 86400

Options options = {
  .dialect = "c2",
  .path = "/",
  .clients = 100,
  .senders = 8,
  .outstanding = 1,
  .rate = 500,
  .seconds = 2,
  .warmup = 1,
  .hold = 2,
  .every = 60,
  .text_bytes = 64,
};

static double number(const char *name, const char *text, double least, double most) {
  char *end;
  double value = strtod(text, &end);
  if (*text == 0 || *end != 0 || value < least || value > most) {
    give_up("--%s takes a number from %g to %g", name, least, most);
  }
  return value;
}

static void read_ports(char *text) {
  for (char *rest, *port = strtok_r(text, ",", &rest); port != NULL; port = strtok_r(NULL, ",", &rest)) {
    if (options.port_count == PORTS_MAX) give_up("--port takes at most %d ports", PORTS_MAX);
    options.ports[options.port_count++] = (int)number("port", port, 1, 65535);
  }
}

static void read_options(int count, char **arguments) {
  static const struct option known[] = {
    { "port", 1, NULL, 'p' },     { "server-pid", 1, NULL, 'i' }, { "dialect", 1, NULL, 'd' },
    { "path", 1, NULL, 'q' },     { "clients", 1, NULL, 'c' },    { "senders", 1, NULL, 's' },
    { "outstanding", 1, NULL, 'o' }, { "rate", 1, NULL, 'r' },    { "seconds", 1, NULL, 't' },
    { "warmup", 1, NULL, 'w' },   { "hold", 1, NULL, 'h' },       { "every", 1, NULL, 'e' },
    { "text-bytes", 1, NULL, 'b' }, { "conditional", 0, NULL, 'n' },
    { "gzip", 0, NULL, 'g' },     { "requests", 1, NULL, 'f' },   { "once", 0, NULL, '1' },
    { "spin", 0, NULL, 'x' },     { "at-once", 1, NULL, 'a' },  { NULL, 0, NULL, 0 },
  };
  int option, which = 0;
  while ((option = getopt_long(count, arguments, "", known, &which)) != -1) {
    const char *name = option == '?' ? "" : known[which].name;
    switch (option) {
      case 'p': read_ports(optarg); break;
      case 'i': options.server_pid = (int)number(name, optarg, 1, 1 << 30); break;
      case 'd': options.dialect = optarg; break;
      case 'q': options.path = optarg; break;
      case 'c': options.clients = (uint32_t)number(name, optarg, 1, 100000); break;
      case 's': options.senders = (uint32_t)number(name, optarg, 1, 100000); break;
      case 'o': options.outstanding = (uint32_t)number(name, optarg, 1, 10000); break;
      case 'r': options.rate = number(name, optarg, 0.001, 1e6); break;
      case 't': options.seconds = number(name, optarg, 0.01, SECONDS_MAX); break;
      case 'w': options.warmup = number(name, optarg, 0, 600); break;
      case 'h': options.hold = number(name, optarg, 0, 600); break;
      case 'e': options.every = number(name, optarg, 0.1, 3600); break;
      case 'a': options.at_once = (uint32_t)number(name, optarg, 0, 100000); break;
      case 'b': options.text_bytes = (uint32_t)number(name, optarg, 32, 4000); break;
      case 'n': options.is_conditional = true; break;
      case 'g': options.wants_gzip = true; break;
      case 'f': options.requests = optarg; break;
      case '1': options.is_once = true; break;
      case 'x': options.is_spinning = true; break;
      default: exit(2);
    }
  }
  if (options.port_count == 0) give_up("--port is missing");
  if (strcmp(options.dialect, "c2") != 0 && strcmp(options.dialect, "socketio") != 0) {
    give_up("--dialect takes c2 or socketio");
  }
}

/* Ten thousand sockets are more than most shells allow at first. */
static void allow_many_files(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < options.clients + 100) {
    give_up("%u clients need more open files than the %lu that are allowed: ulimit -n", options.clients,
            (unsigned long)files.rlim_max);
  }
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*run)(void);
  } modes[] = {
    { "closed", run_closed_loop }, { "paced", run_paced }, { "idle", run_idle },
    { "churn", run_churn },        { "storm", run_storm },
    { "http", run_http },
  };
  if (count < 2) give_up("say what to do: closed, paced, idle, churn, storm or http");
  options.mode = arguments[1];
  read_options(count - 1, arguments + 1);
  allow_many_files();
  alarm((unsigned)(options.seconds + options.warmup + options.hold) + SPARE_SECONDS);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    if (strcmp(options.mode, modes[i].name) != 0) continue;
    modes[i].run();
    return problem_count() > 0 ? 1 : 0;
  }
  give_up("no such mode: %s", options.mode);
}
