#include "scenario/scenario_file.hpp"

#include <fstream>
#include <sstream>

scenario_file scenario_file::load(const std::filesystem::path& path) {
  scenario_file out;
  std::ifstream in(path);
  if (!in) {
    out.problem = "cannot open " + path.string();
    return out;
  }
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    if (text.empty()) continue;
    if (text.rfind("# spec: ", 0) == 0) {
      out.spec = text.substr(8);
    } else if (text[0] == '#') {
      if (out.sentence.empty()) out.sentence = text.substr(2);
    } else if (text[0] == '|') {
      if (out.steps.empty()) {
        out.problem = "line " + std::to_string(number) + ": a block without a step";
        return out;
      }
      out.steps.back().block += (text.size() > 2 ? text.substr(2) : std::string()) + "\n";
    } else {
      const auto space = text.find(' ');
      const auto begin = space == std::string::npos ? space : text.find_first_not_of(' ', space);
      out.steps.push_back({number,
                           text.substr(0, space),
                           begin == std::string::npos ? std::string() : text.substr(begin),
                           {}});
    }
  }
  if (out.sentence.empty() || out.spec.empty())
    out.problem = "needs a first '# sentence' and a '# spec:' line";
  return out;
}

bool holds(const std::string& line, const std::string& wanted) {
  const auto have = " " + line + " ";
  std::istringstream words(wanted);
  for (std::string word; words >> word;) {
    if (have.find(" " + word + " ") == std::string::npos) return false;
  }
  return true;
}
