#ifndef PERSISTENCE_CBSON_SHIM_H
#define PERSISTENCE_CBSON_SHIM_H

#include <bson/bson.h>

#endif
