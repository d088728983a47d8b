"""Loads a tokenizer with the Rust library and encodes a corpus on one thread, as tokenize.ts does. Prints one JSON object.

Arguments: tokenizer.json, JSON file with the texts of warm-up and documents, milliseconds of warm-up.
"""

import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer, __version__  # noqa: E402

tokenizer_file, corpus_file, milliseconds = sys.argv[1:]
with open(tokenizer_file, "rb") as file:
    content = file.read()
with open(corpus_file, encoding="utf-8") as file:
    corpus = json.load(file)
started = time.perf_counter()
tokenizer = Tokenizer.from_buffer(content)
load = time.perf_counter() - started
# The quickest entry: it does not keep track of offsets.
encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
started = time.perf_counter()
while True:
    encode(corpus["warmUp"], add_special_tokens=False)
    if (time.perf_counter() - started) * 1000 >= float(milliseconds):
        break
documents = corpus["documents"]
size = sum(len(text.encode()) for text in documents)
began = time.perf_counter()
encodings = encode(documents, add_special_tokens=False)
seconds = time.perf_counter() - began
tokens = sum(len(encoding.ids) for encoding in encodings)
result = {"loadMilliseconds": load * 1000, "bytesPerSecond": size / seconds, "tokens": tokens, "version": __version__}
print(json.dumps(result))
