"""Boxes as annotation tools write them: COCO, Pascal VOC and YOLO, read into rows and written again."""
