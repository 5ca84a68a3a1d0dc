// Memory whose end is the end of what may be touched.
#include <stddef.h>
#include <sys/mman.h>

// `bytes` that end where a page begins that nobody may touch.
extern "C" void *emulated_guarded(size_t bytes) {
  const size_t page = 4096, pages = (bytes + page - 1) / page;
  char *memory = (char *)mmap(nullptr, (pages + 1) * page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(memory + pages * page, page, PROT_NONE);
  return memory + pages * page - bytes;
}
