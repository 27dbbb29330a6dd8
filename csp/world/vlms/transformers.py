"""VLMs of transformers: `hf:ID-or-folder`, any image-text-to-text class, asked by its own chat template."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jinja2 import TemplateError
from PIL import Image
from torch import Tensor
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    StoppingCriteriaList,
)

from csp.errors import BadInputError, CspError, UnavailableError
from csp.world.protocols.vlm import MOST_TOKENS, StoppedError, never
from csp.world.specs.registry import reason
from csp.world.torch_models.hugging_face import load, load_model, short_name
from csp.world.torch_models.layers import device, weights_hash
from csp.world.vlms.prompts import message_parts

TEMPERATURE = 0.3
"""Where the makers advise none: low, so an answer is what the model is surest of, and the seed varies it."""

# what processors and models raise on pictures and texts that they can't take
_CANT_TAKE = (ValueError, TypeError, LookupError, RuntimeError, TemplateError)


@dataclass(frozen=True, eq=False)
class TransformersVlm:
    """A model with its processor; answers one question at a time."""

    spec: str
    name: str
    weights_hash: str
    model: Any
    processor: Any

    def answer(
        self,
        images: Sequence[Image.Image],
        prompt: str,
        *,
        seed: int,
        most_tokens: int = MOST_TOKENS,
        stop: Callable[[], bool] = never,
    ) -> str:
        """See `csp.world.protocols.vlm.Vlm`."""
        parts = message_parts(prompt, len(images))
        with _explained(self.name):
            inputs = self._inputs(images, parts)
            tokens = self._generate(inputs, seed, most_tokens, stop)
        if stop():
            raise StoppedError("Stopped before the model had answered.")
        new = tokens[0, inputs["input_ids"].shape[1] :]
        return str(self.processor.tokenizer.decode(new, skip_special_tokens=True)).strip()

    def _inputs(self, images: Sequence[Image.Image], parts: list[dict[str, str]]) -> Any:
        waiting = iter(images)
        content = [part | {"image": next(waiting)} if part["type"] == "image" else part for part in parts]
        inputs = self.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        if not any(name.startswith("pixel_values") for name in inputs):
            raise BadInputError(f"The chat template of {self.name} has no place for pictures.")
        return inputs.to(self.model.device, dtype=self.model.dtype)

    @torch.inference_mode()
    def _generate(self, inputs: Any, seed: int, most_tokens: int, stop: Callable[[], bool]) -> Tensor:
        advised = self.model.generation_config.do_sample
        sampling = {} if advised else {"do_sample": True, "temperature": TEMPERATURE}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            tokens: Tensor = self.model.generate(
                **inputs,
                **sampling,
                max_new_tokens=most_tokens,
                stopping_criteria=StoppingCriteriaList([_ends(stop)]),
            )
        return tokens


def _ends(stop: Callable[[], bool]) -> Callable[..., Tensor]:
    """A stopping criterion: asked after each token."""

    def ends(tokens: Tensor, scores: Tensor, **options: Any) -> Tensor:
        return torch.full((len(tokens),), stop(), dtype=torch.bool, device=tokens.device)

    return ends


def open_vlm(name: str) -> TransformersVlm:
    """Open a VLM with its own processor and chat template; on the first CUDA card, else on the processor.

    Raises `NotFoundError` for a missing folder, `BadInputError` for a model that is no VLM or lacks a chat
    template, `UnavailableError` where the hub has none or the memory does not suffice.
    """
    config = load(name, AutoConfig.from_pretrained)
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise BadInputError(
            f"'{name}' is a '{config.model_type}' model, which does not answer about pictures: "
            "take one for image-text-to-text."
        )
    processor = load(name, AutoProcessor.from_pretrained)
    if not getattr(processor, "chat_template", None):
        raise BadInputError(
            f"The processor of '{name}' has no chat template, so it can't be asked: take an "
            "instruction-tuned version of the model."
        )
    with _explained(short_name(name)):
        model = load_model(name, AutoModelForImageTextToText.from_pretrained, dtype="auto").to(device())
    return TransformersVlm(f"hf:{name}", short_name(name), weights_hash(model), model, processor)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what goes wrong inside a model into one sentence."""
    try:
        yield
    except CspError as error:
        if _is_memory(error.__cause__):
            raise _no_room(name) from error
        raise
    except (MemoryError, *_CANT_TAKE) as error:
        if _is_memory(error):
            raise _no_room(name) from error
        raise BadInputError(f"{name} can't take these pictures and this prompt ({reason(error)}).") from error


def _is_memory(error: BaseException | None) -> bool:
    """Whether memory ran out: torch says so by its own error on a card, by words on the processor."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)


def _no_room(name: str) -> UnavailableError:
    return UnavailableError(
        f"The memory does not suffice for {name}: take a smaller model, or fewer pixels in the grids."
    )
