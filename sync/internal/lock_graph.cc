#include "heddle/sync/internal/lock_graph.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"

namespace heddle {
namespace sync_internal {
namespace {

// The frames that tell where a lock was used; who called those is rarely news.
constexpr std::size_t kFramesShown = 8;

// Not by absl::StrFormat(), which ends the program where memory runs out.
std::string Address(const void* at) {
  return absl::StrCat("0x", absl::Hex(reinterpret_cast<uintptr_t>(at)));
}

std::string Lines(const Stack& stack) {
  std::string lines;
  for (std::size_t i = 0; i < std::min(stack.size(), kFramesShown); ++i) {
    char name[256];
    // The address after the call may belong to the next function.
    void* const call = static_cast<char*>(stack[i]) - 1;
    const bool known = absl::Symbolize(call, name, sizeof(name));
    absl::StrAppend(&lines, "      ", Address(stack[i]), " ",
                    known ? name : "(unknown)", "\n");
  }
  return lines;
}

}  // namespace

std::string LockGraph::Wanted(uint64_t thread, const void* lock,
                              const Stack& stack) {
  if (const auto hold = holds_.find(lock);
      hold != holds_.end() && hold->second.thread == thread) {
    return absl::StrCat(
        "A thread wants a lock that it has taken itself; unless another thread "
        "releases it, it waits for ever.\n",
        Describe(lock, lock, {thread, hold->second.taken, stack}));
  }
  return WantedBack(thread, lock, stack);
}

std::string LockGraph::WantedBack(uint64_t thread, const void* lock,
                                  const Stack& stack) {
  std::string report;
  const auto held = held_by_.find(thread);
  if (held == held_by_.end()) return report;
  for (const void* const from : held->second) {
    if (from == lock) continue;  // not held any more when it is wanted
    Node& node = nodes_[from];
    if (node.next.contains(lock)) continue;  // known, and reported if bad
    const Edge edge{thread, holds_.at(from).taken, stack};
    const Path back = FindPath(lock, from);
    if (!back.empty() && report.empty()) {
      report = absl::StrCat("Locks are taken in an order that can deadlock.\n",
                            Describe(from, lock, edge),
                            "  Before, in the other order:\n");
      for (std::size_t i = 0; i + 1 < back.size(); ++i) {
        report += Describe(back[i], back[i + 1],
                           nodes_.at(back[i]).next.at(back[i + 1]));
      }
    }
    node.next.emplace(lock, edge);
    nodes_[lock].previous.insert(from);
  }
  return report;
}

// The locks from `from` to `to`, both included, or nothing: breadth first, so
// that the report is as short as can be.
LockGraph::Path LockGraph::FindPath(const void* from, const void* to) const {
  std::map<const void*, const void*> came_from{{from, nullptr}};
  std::vector<const void*> queue{from};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const void* const here = queue[i];
    if (here == to) {
      Path path;
      for (const void* lock = to; lock != nullptr; lock = came_from.at(lock))
        path.push_back(lock);
      std::reverse(path.begin(), path.end());
      return path;
    }
    const auto node = nodes_.find(here);
    if (node == nodes_.end()) continue;
    for (const auto& [next, edge] : node->second.next) {
      if (came_from.emplace(next, here).second) queue.push_back(next);
    }
  }
  return {};
}

std::string LockGraph::Describe(const void* held, const void* wanted,
                                const Edge& edge) const {
  return absl::StrCat("  Thread ", edge.thread, " held lock ", Address(held),
                      ", taken at\n", Lines(edge.from_taken),
                      "    and wanted lock ", Address(wanted), " at\n",
                      Lines(edge.to_wanted));
}

void LockGraph::Taken(uint64_t thread, const void* lock, Stack stack) {
  Released(lock);  // what nobody told us of: memory had run out
  holds_[lock] = {thread, std::move(stack)};
  held_by_[thread].push_back(lock);
}

void LockGraph::Released(const void* lock) {
  const auto hold = holds_.find(lock);
  if (hold == holds_.end()) return;  // nobody holds it: unlock() will throw
  const auto held = held_by_.find(hold->second.thread);
  std::erase(held->second, lock);
  if (held->second.empty()) held_by_.erase(held);
  holds_.erase(hold);
}

void LockGraph::Gone(const void* lock) {
  Released(lock);
  const auto found = nodes_.find(lock);
  if (found == nodes_.end()) return;
  for (const auto& [next, edge] : found->second.next)
    nodes_[next].previous.erase(lock);
  for (const void* const previous : found->second.previous)
    nodes_[previous].next.erase(lock);
  nodes_.erase(found);
}

}  // namespace sync_internal
}  // namespace heddle
