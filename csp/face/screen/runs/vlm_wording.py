"""What the forms say about asking a vision-language model."""

MODES = {"contrastive": "Both grids", "activating-only": "Only what fires"}


MODES_HELP = (
    "Both grids: nine pictures that fire beside nine that look alike but do not; the model names what only "
    "the first have. Only what fires: what the nine share."
)


SPEC_HELP = (
    "`hf:` and a folder on the server or a Hugging Face ID, such as hf:HuggingFaceTB/SmolVLM-Instruct; or "
    "`openai:` and the address of an OpenAI-compatible server, # and a model's name."
)
