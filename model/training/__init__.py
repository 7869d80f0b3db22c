"""The trainer: our GPT-2 on TensorFlow 2, from and to gpt-2-simple's checkpoint folders. One module a concern.

``network`` computes, ``optimizer`` steps, ``windows`` cuts the corpus, ``state`` makes a training resumable, ``loop``
drives, ``reference`` is gpt-2-simple's own training. Nothing here writes scripts; ``model.finetune`` is the door.
"""
