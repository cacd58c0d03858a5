// epoll, eventfd and thread names: parts of glibc that Swift's Glibc module leaves out.
#ifndef PERSISTENCE_CEVENTLOOP_SHIM_H
#define PERSISTENCE_CEVENTLOOP_SHIM_H

#ifdef __linux__

#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Declared by glibc only under _GNU_SOURCE, which a module cannot set for its importers.
extern int pthread_setname_np(pthread_t thread, const char *name);

static const uint32_t CEVENTLOOP_IN = EPOLLIN;
static const uint32_t CEVENTLOOP_OUT = EPOLLOUT;
static const uint32_t CEVENTLOOP_ERROR = EPOLLERR;
static const uint32_t CEVENTLOOP_HANGUP = EPOLLHUP;
static const uint32_t CEVENTLOOP_PEER_CLOSED = EPOLLRDHUP;
static const uint32_t CEVENTLOOP_EDGE = EPOLLET;

static inline int ceventloop_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int ceventloop_create_wake(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

static inline void ceventloop_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

#endif

#endif
