#ifndef BENCHMARKS_LOOPS_H
#define BENCHMARKS_LOOPS_H

#include <stddef.h>
#include <stdint.h>

// What a C programmer writes with libbson. Each function does its work `count` times and returns a number that depends
// on what was done, so that nothing can be left out by the compiler.

// Iterates over a document of ten fields and fills a struct that owns its strings.
uint64_t loops_decode_flat(const uint8_t *data, size_t length, size_t count);
// The same for a document with an array of four documents and one of five strings.
uint64_t loops_decode_nested(const uint8_t *data, size_t length, size_t count);
// Makes the document of ten fields of a struct.
uint64_t loops_encode_flat(size_t count);
// Makes the document with arrays of a struct.
uint64_t loops_encode_nested(size_t count);
// Finds one field by its key.
uint64_t loops_find(const uint8_t *data, size_t length, const char *key, size_t count);
// Visits every field of the outermost document.
uint64_t loops_walk(const uint8_t *data, size_t length, size_t count);
// Checks structure and UTF-8.
uint64_t loops_validate(const uint8_t *data, size_t length, size_t count);

#endif
