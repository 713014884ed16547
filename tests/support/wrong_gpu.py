"""A GPU that computes wrong results, as some do in the field."""

from playwright.sync_api import Route

# Put before the worker's own script. The engine is TensorFlow.js on Chromium's WebGL; what it reads back is right the
# first time only, as on GPUs in the field. The page takes it for a real GPU.
WRONG_GPU = """{
  const { getParameter, getBufferSubData, readPixels } = WebGL2RenderingContext.prototype;
  let results = 0;
  const spoil = (data) => {
    if (!(data instanceof Float32Array) || data.length < 64 * 64 || ++results === 1) return;
    data.forEach((value, index) => (data[index] = value + 0.01));
  };
  Object.assign(WebGL2RenderingContext.prototype, {
    getParameter(name) {
      const value = getParameter.call(this, name);
      return typeof value === 'string' && value.includes('SwiftShader') ? 'Test GPU' : value;
    },
    getBufferSubData(...given) {
      getBufferSubData.apply(this, given);
      spoil(given[2]);
    },
    readPixels(...given) {
      readPixels.apply(this, given);
      spoil(given[6]);
    },
  });
}
"""


def spoil_gpu(route: Route) -> None:
    """Answer for a worker's script with one whose GPU is wrong from the second run on."""
    answer = route.fetch()
    route.fulfill(response=answer, body=WRONG_GPU + answer.text())
