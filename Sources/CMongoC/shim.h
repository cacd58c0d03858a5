#ifndef PERSISTENCE_CMONGOC_SHIM_H
#define PERSISTENCE_CMONGOC_SHIM_H

#include <mongoc/mongoc.h>

#endif
