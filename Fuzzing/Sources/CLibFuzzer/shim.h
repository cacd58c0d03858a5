#include <stddef.h>
#include <stdint.h>

// libFuzzer as a library (LLVM's documentation of libFuzzer, "Using libFuzzer as a library"); there is no header for it.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *data, size_t size));
