"""The image: encoded, decoded, judged as the hardware judges it, and written to files."""

from mcos_policy.image.encoding import Image, decode, encode, hardware_of, register_words, unpack
from mcos_policy.image.files import image_files, image_record, write_image
from mcos_policy.image.told import told_fabric
from mcos_policy.image.verdict import Refusal, refusal, verify

__all__ = [
    "Image",
    "Refusal",
    "decode",
    "encode",
    "hardware_of",
    "image_files",
    "image_record",
    "refusal",
    "register_words",
    "told_fabric",
    "unpack",
    "verify",
    "write_image",
]
