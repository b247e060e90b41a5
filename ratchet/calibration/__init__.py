"""Calibration: how often the judge and the triage are right, measured on what people said."""

from ratchet.calibration.advice import judge_advice, triage_advice
from ratchet.calibration.judge_agreement import JudgeAgreement, measure_judge
from ratchet.calibration.labels import JudgeLabel, Labels, TriageLabel, load_labels
from ratchet.calibration.triage_agreement import TriageAgreement, measure_triage

__all__ = [
    "JudgeAgreement",
    "JudgeLabel",
    "Labels",
    "TriageAgreement",
    "TriageLabel",
    "judge_advice",
    "load_labels",
    "measure_judge",
    "measure_triage",
    "triage_advice",
]
