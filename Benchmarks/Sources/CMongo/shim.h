#ifndef BENCHMARKS_CMONGO_SHIM_H
#define BENCHMARKS_CMONGO_SHIM_H

#include <mongoc/mongoc.h>

#endif
