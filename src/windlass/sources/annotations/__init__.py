"""Boxes as annotation tools write them: COCO, VOC, YOLO and Label Studio, read into rows and written again."""
