"""Common words that stand for each other, English and Chinese, so that a retold sentence is known again.

Written for this product from general knowledge; groups, not senses: what they wrongly join, numbers, names, negation and
order still tell apart. A product may bring more of its own field.
"""  # noqa: E501

from collections import defaultdict
from functools import cache

from windlass.predictors.reading.alignment import Synonyms, stem

ENGLISH = """
build construct erect create establish found make produce manufacture
begin start commence open launch
end finish stop cease close conclude complete
get receive obtain gain acquire earn
give grant hand provide supply offer donate award present
buy purchase acquire
sell trade
move relocate transfer migrate carry
go travel run ride drive
return come back send
leave depart quit exit escape flee
arrive reach
keep hold retain contain store have
use employ utilise utilize apply
need require want demand must
allow permit let accept enable may can
forbid prohibit ban refuse reject decline deny
show display demonstrate reveal indicate
say state tell announce declare claim report inform
call name term title
help aid assist support
change alter modify switch adapt
increase grow rise raise climb
decrease reduce fall drop shrink decline lower lose
big large great huge
small little tiny minor
old ancient aged
young junior
quick fast rapid swift
slow gradual
new recent modern fresh
important major main key significant principal chief
near close about around roughly approximately nearly almost
above over exceed more
below under beneath less fewer
child kid minor
person individual human
worker employee staff labourer
customer client buyer guest
user reader member
money cash fund payment
price cost fee charge rate
house home building
town city municipality
country nation state
ship vessel boat
car vehicle automobile
truck lorry
street road
parcel package
luggage baggage bag suitcase
film movie picture
photo photograph picture image
book volume work
writer author
doctor physician
illness disease sickness
medicine drug medication
war battle conflict fight
win defeat beat victory triumph
kill die death dead perish
harm damage hurt injure destroy
fix repair mend restore
teach instruct educate
learn study
think believe consider regard
lead head direct guide run command
leader head chief commander director
follow succeed replace
discover find detect identify
describe depict
write compose pen
publish print issue release
perform play stage
check inspect examine test verify control
watch observe monitor guard see view look visible
choose select pick elect appoint
join enter connect link attach combine
leave abandon
divide split separate part
contain include comprise cover consist
belong own possess owner property
measure gauge
pay spend
send ship deliver mail post
wash clean rinse
throw dump discard pour
eat consume feed
live reside dwell inhabit stay
equal same identical alike equally
different differ distinct
yearly annual annually
daily day
weekly week
monthly month
right correct
wrong incorrect false
free gratis complimentary charge
hot warm heat
cold cool
strong powerful
often frequently
rare seldom
protest oppose opposition object
praise acclaim applaud
like enjoy love prefer
public audience people crowd spectator
troop army force soldier
marry wed spouse
part portion share
whole entire full total
half
maximum most top
minimum least
wait delay late
cancel annul
valid effective
trip journey voyage travel
area region zone district
job post position
school college
""".strip()
CHINESE = """
建造 修建 建成 兴建 建设 修成 建立 建筑 修筑
创立 创办 成立 创建 设立
开始 起始 开端 着手
结束 终止 停止 完结 终了
得到 获得 取得 收到 获取 领取 赢得
给予 给与 赠给 赠送 授予 送给 献给 提供
购买 买下 购入 买入 收购
出售 售出 卖出 销售
迁居 搬到 移居 迁到 搬迁 迁往
前往 开往 去往 驶往
返回 退回 送回 归还
逃往 逃到 逃至 逃离
到达 抵达 送达
保存 保留 存放 储存
使用 利用 运用 采用 应用
需要 需求 必须 须要 应当
允许 可以 准许 许可 能够 同意
禁止 不得 不许 不准 严禁 不可
拒绝 回绝 不肯 不愿
表明 显示 说明 指出
宣布 声明 公布 发布
称为 叫做 名为 称作
帮助 协助 援助 支持
改变 更改 变更 修改 更换 改签
增加 增长 上升 提高 增多 增大
减少 降低 下降 缩小 缩减 降到
巨大 庞大
迅速 快速 很快
重要 主要 关键
大约 大概 左右 约为
超过 多于 高于 以上 大于
低于 少于 以下 不足 小于 不满
儿童 小孩 孩子 幼儿 小儿
员工 职员 职工 雇员
顾客 客户 客人 乘客 旅客
用户 读者 会员
费用 价格 收费 资费 金额 票价 手续费 房租
免费 不收费 不要钱 无需付费
汽车 车辆
卡车 货车
飞机 航班
包裹 邮件 快件
行李 箱包
照片 相片 图片 拍照 照相 摄影
书籍 图书 书本
作者 作家
医生 医师 大夫
疾病 病症
药物 药品 药
战争 战役 战斗
打败 击败 战胜 击溃
死亡 阵亡 去世 逝世 丧生 遇难 身亡
损坏 破坏 损害 毁坏 弄坏 摧毁
维修 修理 修复
学习 就读 求学 师从
认为 觉得 以为
领导 率领 带领 统帅 主持 领袖
接替 取代 代替 替代
发现 找到 察觉
描述 描写 记述
写作 创作 作曲 写过
出版 发行 印行 刊行
演出 表演 上演
检查 检验 核对 比对
观看 看到 看见 可见
守护 看护 看守 保护
选择 挑选 选出
任命 委任 指派
加入 参加 参与 进入
连接 相连 连通
包括 包含 含有 已含 涵盖
属于 归属 隶属
测量 测定 量度
支付 付费 付款 缴纳 交纳
寄送 发送 递送 寄出
清洗 擦洗 洗涤 清洁
丢弃 倒掉 扔掉
食用 吃掉
居住 住在 定居
相同 一样 没有差别 无差别 同样
不同 有别 差异
每年 一年 全年
每天 每日 一天
每周 每星期
正确 对的
错误 不对
有效 生效
等待 等候
延误 晚点 延迟 迟到
取消 撤销
离开 离去
位于 坐落 地处
流入 注入 汇入 流向
室外 户外
室内 屋内
称赞 好评 赞扬 表扬
反对 抗议 抵制
喜欢 喜爱 爱好
观众 听众
士兵 军人 部队
结婚 成婚 婚姻
最多 至多 不超过
最少 至少 不少于
完成 竣工 完工
容量 可装 能装 装下
抽烟 吸烟
房屋 住房 家庭
""".strip()


@cache
def table(extra: tuple[str, ...] = ()) -> Synonyms:
    """Of each word, as it is compared (stems, pairs of Chinese characters), the others of its groups.

    Args: extra: more groups, each a line of words with spaces between.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for line in [*ENGLISH.splitlines(), *CHINESE.splitlines(), *extra]:
        forms = {form for word in line.split() for form in _forms(word)}
        for form in forms:
            found[form] |= forms - {form}
    return {form: frozenset(others) for form, others in sorted(found.items())}


def _forms(word: str) -> list[str]:
    if word.isascii():
        return [stem(word.lower())]
    return [word[start : start + 2] for start in range(max(1, len(word) - 1))] if len(word) <= 2 else []
