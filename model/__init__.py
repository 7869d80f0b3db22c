"""The writer: text in, text out. It knows no order, no customer and no hub.

``corpus`` makes training text, ``tokenizer`` and ``checkpoint`` read and write gpt-2-simple's files,
``finetune`` trains, ``serving`` computes, ``planning`` and ``writing`` turn a premise into a script,
``evaluate`` measures and ``release`` gives a checkpoint its name.
"""

__all__: list[str] = []
