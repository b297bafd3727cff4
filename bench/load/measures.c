/*
 * Time, CPU, memory and the spread of latencies; and what went wrong.
 *
 * What is known of the server is read from /proc, so it is the kernel's word and not the server's.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* 64 steps for each power of two: below 64 exact, above it 1.6 % apart. */
void histogram_add(Histogram *histogram, uint64_t ns) {
  uint32_t place = (uint32_t)ns;
  if (ns >= 64) {
    uint32_t shift = 57u - (uint32_t)__builtin_clzll(ns);
    place = (shift + 1) * 64 + (uint32_t)((ns >> shift) - 64);
  }
  histogram->counts[place]++;
  histogram->total++;
  if (ns > histogram->greatest) histogram->greatest = ns;
}

double histogram_quantile(const Histogram *histogram, double share) {
  uint64_t rank = (uint64_t)(share * (double)histogram->total);
  uint64_t below = 0;
  for (uint32_t place = 0; place < 64 * 64; place++) {
    below += histogram->counts[place];
    if (below <= rank) continue;
    if (place < 64) return place / 1000.0;
    uint32_t shift = place / 64 - 1;
    return ((double)((uint64_t)(64 + place % 64) << shift) + (double)(1ull << shift) / 2) / 1000.0;
  }
  return (double)histogram->greatest / 1000.0;
}

static bool read_file(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  size_t length = fread(text, 1, size - 1, file);
  text[length] = 0;
  fclose(file);
  return length > 0;
}

static double server_cpu(void) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", options.server_pid);
  if (options.server_pid == 0 || !read_file(path, text, sizeof text)) return 0;
  /* The name in parentheses may hold blanks; after it come the state and ten numbers, then the two times. */
  const char *rest = strrchr(text, ')');
  unsigned long user = 0, system = 0;
  if (rest != NULL) {
    sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  }
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Of all processes, steal and waiting for disks not counted. */
static double all_cpu(void) {
  char text[1024];
  unsigned long user = 0, nice = 0, system = 0, irq = 0, softirq = 0;
  if (!read_file("/proc/stat", text, sizeof text)) return 0;
  sscanf(text, "cpu %lu %lu %lu %*u %*u %lu %lu", &user, &nice, &system, &irq, &softirq);
  return (double)(user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

Cpu cpu_now(void) {
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  return (Cpu){
    .server = server_cpu(),
    .own = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6,
    .all = all_cpu(),
  };
}

long server_rss_kib(void) {
  char path[64], text[256];
  long pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", options.server_pid);
  if (options.server_pid == 0 || !read_file(path, text, sizeof text)) return 0;
  sscanf(text, "%*d %ld", &pages);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static uint64_t problems;
static char first_problem[512];

void problem(const char *format, ...) {
  if (problems++ > 0) return;
  va_list values;
  va_start(values, format);
  vsnprintf(first_problem, sizeof first_problem, format, values);
  va_end(values);
}

uint64_t problem_count(void) { return problems; }

const char *problem_json(void) {
  static char json[2 * sizeof first_problem + 64];
  if (problems == 0) return "null";
  size_t at = 0;
  json[at++] = '"';
  for (const char *from = first_problem; *from != 0; from++) {
    if (*from == '"' || *from == '\\') json[at++] = '\\';
    json[at++] = (unsigned char)*from < 32 || (unsigned char)*from > 126 ? '?' : *from;
  }
  snprintf(json + at, sizeof json - at, " (problems in all: %llu)\"", (unsigned long long)problems);
  return json;
}

void give_up(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fprintf(stderr, "load: ");
  vfprintf(stderr, format, values);
  fprintf(stderr, "%s%s\n", problems > 0 ? "; before that: " : "", first_problem);
  va_end(values);
  exit(2);
}
