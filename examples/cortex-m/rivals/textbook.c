/* The rival in textbook C: row by row, one dot product an output, the library's tanhf. */
#include <math.h>

static inline void dense(const float *const *p, const float *x, float *y, int in, int out, int activate) {
    for (int o = 0; o < out; o++) {
        float sum = p[1][o];
        for (int i = 0; i < in; i++) sum += p[0][o * in + i] * x[i];
        y[o] = activate ? tanhf(sum) : sum;
    }
}

void textbook_4_16_16_1(const float *const *p, const float *x, float *y) {
    float h[16], g[16];
    dense(p, x, h, 4, 16, 1);
    dense(p + 2, h, g, 16, 16, 1);
    dense(p + 4, g, y, 16, 1, 0);
}

void textbook_8_64_64_4(const float *const *p, const float *x, float *y) {
    float h[64], g[64];
    dense(p, x, h, 8, 64, 1);
    dense(p + 2, h, g, 64, 64, 1);
    dense(p + 4, g, y, 64, 4, 0);
}

void textbook_64_32_10(const float *const *p, const float *x, float *y) {
    float h[32];
    dense(p, x, h, 64, 32, 1);
    dense(p + 2, h, y, 32, 10, 0);
}
