"""Intake at the window 一窗受理: a clerk takes in an application for somebody who stands there."""
