// The rival RLtools: its dense layers with its evaluation for ARM microcontrollers (devices::arm::OPT).
#include <new>

#include <rl_tools/operations/arm.h>
#include <rl_tools/nn/layers/dense/operations_arm/opt.h>

namespace rlt = rl_tools;
using Device = rlt::devices::DefaultARM;
using Index = Device::index_t;
using Types = rlt::numeric_types::Policy<float>;
using Activation = rlt::nn::activation_functions::ActivationFunction;

template <Index IN, Index OUT, Activation A>
using Dense = rlt::nn::layers::dense::Layer<rlt::nn::layers::dense::Configuration<Types, Index, OUT, A>,
    rlt::nn::capability::Forward<false>, rlt::tensor::Shape<Index, 1, IN>>;
template <Index N, bool ELSEWHERE = false>
using Row = rlt::Matrix<rlt::matrix::Specification<float, Index, 1, N, ELSEWHERE>>;

static Device device;
static bool random_source; // evaluation draws nothing
static rlt::nn::layers::dense::Buffer buffer;

template <typename Layer>
static void load(Layer &layer, const float *const *p) {
    for (Index o = 0; o < Layer::OUTPUT_DIM; o++) {
        rlt::set(device, layer.biases.parameters, p[1][o], o);
        for (Index i = 0; i < Layer::INPUT_DIM; i++) {
            rlt::set(device, layer.weights.parameters, p[0][o * Layer::INPUT_DIM + i], o, i);
        }
    }
}

template <Index IN, Index H, Index OUT>
struct Deep {
    Dense<IN, H, Activation::TANH> first;
    Dense<H, H, Activation::TANH> second;
    Dense<H, OUT, Activation::IDENTITY> last;
    Row<IN, true> x;
    Row<H> h, g;
    Row<OUT, true> y;
    void load(const float *const *p) {
        ::load(first, p);
        ::load(second, p + 2);
        ::load(last, p + 4);
    }
    void evaluate(const float *from, float *to) {
        x._data = const_cast<float *>(from);
        y._data = to;
        rlt::evaluate(device, first, x, h, buffer, random_source);
        rlt::evaluate(device, second, h, g, buffer, random_source);
        rlt::evaluate(device, last, g, y, buffer, random_source);
    }
};

template <Index IN, Index H, Index OUT>
struct Shallow {
    Dense<IN, H, Activation::TANH> first;
    Dense<H, OUT, Activation::IDENTITY> last;
    Row<IN, true> x;
    Row<H> h;
    Row<OUT, true> y;
    void load(const float *const *p) {
        ::load(first, p);
        ::load(last, p + 2);
    }
    void evaluate(const float *from, float *to) {
        x._data = const_cast<float *>(from);
        y._data = to;
        rlt::evaluate(device, first, x, h, buffer, random_source);
        rlt::evaluate(device, last, h, y, buffer, random_source);
    }
};

// Built where it lies by `load`: the firmware runs no constructors of statics.
#define NETWORK(name, ...) \
    alignas(__VA_ARGS__) static unsigned char memory_##name[sizeof(__VA_ARGS__)]; \
    extern "C" void rltools_load_##name(const float *const *p) { (new (memory_##name) __VA_ARGS__)->load(p); } \
    extern "C" void rltools_##name(const float *const *, const float *x, float *y) { \
        reinterpret_cast<__VA_ARGS__ *>(memory_##name)->evaluate(x, y); \
    }
NETWORK(4_16_16_1, Deep<4, 16, 1>)
NETWORK(8_64_64_4, Deep<8, 64, 4>)
NETWORK(64_32_10, Shallow<64, 32, 10>)
