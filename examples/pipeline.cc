// Reads a file, finds its words and counts them, in three stages that work at
// the same time; prints the ten most frequent words. However large the file,
// no stage runs ahead of the next by more than 64 lines or words' worth.
// Run: bazel run //examples:pipeline -- /usr/include/stdio.h
#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "heddle/queue/queue.h"
#include "heddle/thread/thread.h"

int main(int argc, char** argv) {
  std::ifstream file(argc == 2 ? argv[1] : "");
  if (!file) {
    std::cerr << "usage: pipeline FILE (one that can be read)\n";
    return 2;
  }
  heddle::Queue<std::string> lines(/*maxsize=*/64);
  heddle::Queue<std::vector<std::string>> words(/*maxsize=*/64);

  heddle::Thread reading([&] {
    std::string line;
    while (std::getline(file, line)) lines.Put(std::move(line));
    lines.Shutdown();  // what is in it is still given out
  });
  heddle::Thread splitting([&] {
    const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
    for (const std::string& line : lines) {
      std::vector<std::string> found;
      for (auto at = line.begin(); at != line.end();) {
        const auto begin = std::find_if(at, line.end(), is_letter);
        at = std::find_if_not(begin, line.end(), is_letter);
        if (begin != at) found.emplace_back(begin, at);
      }
      words.Put(std::move(found));
    }
    words.Shutdown();
  });
  reading.Start();
  splitting.Start();

  std::map<std::string, int> counts;  // the third stage is this thread
  for (const std::vector<std::string>& some : words) {
    for (const std::string& word : some) ++counts[word];
  }
  std::vector<std::pair<int, std::string>> ranking;
  for (const auto& [word, count] : counts) ranking.emplace_back(-count, word);
  std::sort(ranking.begin(), ranking.end());
  for (size_t i = 0; i < std::min<size_t>(10, ranking.size()); ++i) {
    std::cout << -ranking[i].first << " " << ranking[i].second << "\n";
  }
}
