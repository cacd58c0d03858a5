#ifndef PERSISTENCE_CLIBPQ_SHIM_H
#define PERSISTENCE_CLIBPQ_SHIM_H

#include <libpq-fe.h>

#endif
