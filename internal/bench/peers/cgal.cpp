// CGAL's mesher on a label map, as a peer to measure against.
//
//   cgal LABELS.raw NX NY NZ SX SY SZ FACET_MM FACET_ERROR_MM CELL_MM SECONDS MESH.bin
//
// Labels are one byte per voxel, x fastest; S is the voxel in mm. SECONDS caps
// each of the two sliver removers (wall time; 0 leaves them out). Prints CPU
// seconds after refinement and in all as JSON; the dump has the layout of
// internal/bench/dump.go.
#include <CGAL/Exact_predicates_inexact_constructions_kernel.h>
#include <CGAL/Image_3.h>
#include <CGAL/Labeled_mesh_domain_3.h>
#include <CGAL/Mesh_complex_3_in_triangulation_3.h>
#include <CGAL/Mesh_criteria_3.h>
#include <CGAL/Mesh_triangulation_3.h>
#include <CGAL/make_mesh_3.h>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <unordered_map>
#include <sys/resource.h>
#include <vector>

namespace params = CGAL::parameters;
using Kernel = CGAL::Exact_predicates_inexact_constructions_kernel;
using Domain = CGAL::Labeled_mesh_domain_3<Kernel>;
using Triangulation = CGAL::Mesh_triangulation_3<Domain, CGAL::Default, CGAL::Sequential_tag>::type;
using Complex = CGAL::Mesh_complex_3_in_triangulation_3<Triangulation>;
using Criteria = CGAL::Mesh_criteria_3<Triangulation>;

static double cpu() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + 1e-6 * (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

template <class T> static void put(std::ostream& out, const std::vector<T>& v) {
  out.write(reinterpret_cast<const char*>(v.data()), std::streamsize(v.size() * sizeof(T)));
}

int main(int argc, char** argv) {
  if (argc != 13) {
    std::cerr << "want 12 arguments\n";
    return 2;
  }
  std::size_t n[3];
  double s[3];
  for (int a = 0; a < 3; ++a) {
    n[a] = std::size_t(std::atol(argv[2 + a]));
    s[a] = std::atof(argv[5 + a]);
  }
  // the image owns its memory and frees it
  _image* raw = _createImage(n[0], n[1], n[2], 1, s[0], s[1], s[2], 1, WK_FIXED, SGN_UNSIGNED);
  std::ifstream in(argv[1], std::ios::binary);
  if (!in.read(static_cast<char*>(raw->data), std::streamsize(n[0] * n[1] * n[2]))) {
    std::cerr << argv[1] << ": too short\n";
    return 1;
  }
  CGAL::Image_3 image(raw);
  const double start = cpu(), limit = std::atof(argv[11]);
  Domain domain = Domain::create_labeled_image_mesh_domain(image);
  Criteria criteria(params::facet_angle = 30, params::facet_size = std::atof(argv[8]), params::facet_distance = std::atof(argv[9]),
                    params::cell_radius_edge_ratio = 3, params::cell_size = std::atof(argv[10]));
  Complex mesh = CGAL::make_mesh_3<Complex>(domain, criteria, params::no_perturb(), params::no_exude());
  const double refined = cpu() - start;
  if (limit > 0) {
    CGAL::perturb_mesh_3(mesh, domain, params::time_limit = limit);
    CGAL::exude_mesh_3(mesh, params::time_limit = limit);
  }
  const double total = cpu() - start;

  std::unordered_map<const void*, std::int32_t> number;
  std::vector<double> nodes;
  std::vector<std::int32_t> tets, labels;
  for (auto c = mesh.cells_in_complex_begin(); c != mesh.cells_in_complex_end(); ++c) {
    for (int i = 0; i < 4; ++i) {
      const auto v = c->vertex(i);
      const auto found = number.emplace(&*v, std::int32_t(number.size()));
      if (found.second)
        for (int a = 0; a < 3; ++a) nodes.push_back(v->point()[a]);
      tets.push_back(found.first->second);
    }
    labels.push_back(mesh.subdomain_index(c));
  }
  std::ofstream out(argv[12], std::ios::binary);
  put(out, std::vector<std::int64_t>{std::int64_t(number.size()), std::int64_t(labels.size())});
  put(out, nodes);
  put(out, tets);
  put(out, labels);
  if (!out.flush()) {
    std::cerr << argv[12] << ": cannot write\n";
    return 1;
  }
  std::cout << "{\"refine_s\": " << refined << ", \"cpu_s\": " << total << "}\n";
}
