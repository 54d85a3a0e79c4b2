"""Learns a byte-level vocabulary with Hugging Face tokenizers (0.23.2) and prints what
BytePairTrainerTest expects: how many merges there are, the SHA-256 of their lines, the first lines.

Usage: python huggingface_merges.py TEXT_FILE VOCABULARY_SIZE MINIMUM_FREQUENCY
"""

import hashlib
import json
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

path, size, minimum_frequency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, encoding="utf-8", newline="") as file:
    text = file.read()
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
trainer = trainers.BpeTrainer(
    vocab_size=size,
    min_frequency=minimum_frequency,
    special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator([text], trainer)
merges = [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]
lines = "".join(merge + "\n" for merge in merges)
print(len(merges), hashlib.sha256(lines.encode("utf-8")).hexdigest())
print(merges[:24])
