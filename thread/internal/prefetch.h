// PrefetchForWrite(): tells the processor of memory that will be written soon.
//
// Memory that other threads have read has to be taken away from their processors
// before it can be written. A store does not wait for that; but the next atomic
// exchange, such as the release of a lock, waits for all stores before it.

#ifndef HEDDLE_THREAD_INTERNAL_PREFETCH_H_
#define HEDDLE_THREAD_INTERNAL_PREFETCH_H_

namespace heddle {
namespace internal {

// A hint: nothing else happens, whatever the address.
inline void PrefetchForWrite(const void* address) {
#if defined(__x86_64__)
  // The builtin would fetch it to be read, where no newer processor is named.
  // (Processors that do not know the instruction pass over it.)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, /*to write*/ 1);
#endif
}

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_PREFETCH_H_
