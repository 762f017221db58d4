// LockGraph: which locks were taken while which others were held.

#ifndef HEDDLE_SYNC_INTERNAL_LOCK_GRAPH_H_
#define HEDDLE_SYNC_INTERNAL_LOCK_GRAPH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace heddle {
namespace sync_internal {

// A place in the program: return addresses, innermost first.
using Stack = std::vector<void*>;

// Not thread-safe: its owner guards it. Threads are told apart by numbers that
// are never used again (GetIdent(), not the kernel's), because a lock may
// outlive the thread that took it; locks by their addresses.
class LockGraph {
 public:
  // `thread`, at `stack`, is about to wait for `lock`. Returns what is wrong with
  // that, in several lines, or nothing: the first time that the order of this
  // lock and those that `thread` holds closes a cycle.
  std::string Wanted(uint64_t thread, const void* lock, const Stack& stack);

  // The same for a `lock` that `thread` is about to release and then to want.
  std::string WantedBack(uint64_t thread, const void* lock, const Stack& stack);

  // `thread`, at `stack`, has taken `lock`; somebody has released it; it is gone.
  void Taken(uint64_t thread, const void* lock, Stack stack);
  void Released(const void* lock);
  void Gone(const void* lock);

 private:
  struct Edge {  // `from` was held when `to` was wanted
    uint64_t thread;
    Stack from_taken;
    Stack to_wanted;
  };
  struct Node {
    std::map<const void*, Edge> next;  // wanted while this one was held
    std::set<const void*> previous;
  };
  struct Hold {
    uint64_t thread;
    Stack taken;
  };
  using Path = std::vector<const void*>;

  Path FindPath(const void* from, const void* to) const;
  std::string Describe(const void* held, const void* wanted,
                       const Edge& edge) const;

  std::map<const void*, Node> nodes_;
  std::map<const void*, Hold> holds_;
  std::map<uint64_t, std::vector<const void*>> held_by_;
};

}  // namespace sync_internal
}  // namespace heddle

#endif  // HEDDLE_SYNC_INTERNAL_LOCK_GRAPH_H_
